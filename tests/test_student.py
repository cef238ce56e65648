"""The notebooks for a class: no solution is left, every exercise and grader is, and what is left needs no solution."""

import ast
import re

import pytest

from ddpm_lib.exercises.grading import Verdict
from tools.equations import ROOT, chapters
from tools.notebook import Notebook, read, source
from tools.plain.copies import copies
from tools.plain.places import Course
from tools.student import is_solution, without_solutions

CHAPTERS = chapters(ROOT)
GRADER = re.compile(r"exercises\.(check_\w+)\(")


@pytest.fixture(scope="module")
def plain() -> dict[str, Notebook]:
    return {path.with_suffix("").as_posix(): copy for path, copy in copies(Course(ROOT)).items()}


def text(notebook: Notebook) -> str:
    return "\n\n".join(source(cell) for cell in notebook["cells"])


def solutions(notebook: Notebook) -> list[str]:
    return [source(cell) for cell in notebook["cells"] if is_solution(cell)]


def test_there_are_solutions_to_leave_out(plain: dict[str, Notebook]) -> None:
    assert sum(len(solutions(notebook)) for notebook in plain.values()) > 80


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_solution_is_left_and_nothing_else_is_lost(plain: dict[str, Notebook], name: str) -> None:
    before, after = plain[name], without_solutions(plain[name])
    left = text(after)
    assert not re.search(
        r"@title Solution|<summary>\s*Solution|solutions are folded\b(?!;)", left, re.IGNORECASE
    )
    assert [code for code in solutions(before) if code in left] == []
    kept = [source(cell) for cell in before["cells"] if cell["cell_type"] == "code" and not is_solution(cell)]
    assert [source(cell) for cell in after["cells"] if cell["cell_type"] == "code"] == kept
    assert text(before).count("<summary>Hint") == left.count("<summary>Hint")


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_grader_stays(plain: dict[str, Notebook], name: str) -> None:
    assert set(GRADER.findall(text(plain[name]))) == set(GRADER.findall(text(without_solutions(plain[name]))))


def names(code: str, kind: type[ast.expr_context]) -> set[str]:
    """The names that code reads, or those that it gives a meaning."""
    tree = ast.walk(ast.parse(code))
    found: set[str] = set()
    for node in tree:
        if isinstance(node, ast.Name) and isinstance(node.ctx, kind):
            found.add(node.id)
        elif kind is ast.Store and isinstance(node, ast.arg):
            found.add(node.arg)
        elif kind is ast.Store and isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif kind is ast.Store and isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_cell_needs_what_only_a_solution_defines(name: str) -> None:
    bound: set[str] = set()
    only: set[str] = set()
    for cell in read(ROOT / f"{name}.ipynb")["cells"]:
        if cell["cell_type"] == "code":
            if is_solution(cell):
                only |= names(source(cell), ast.Store)
            else:
                bound |= names(source(cell), ast.Store)
                assert not names(source(cell), ast.Load) & only - bound, cell["id"]


def test_an_attempt_is_judged_and_an_answer_accepted(plain: dict[str, Notebook]) -> None:
    after = without_solutions(plain["book/forward"])
    attempt = next(source(cell) for cell in after["cells"] if "check_two_steps" in source(cell))
    answer = next(code for code in solutions(plain["book/forward"]) if "check_two_steps" in code)

    def verdict(code: str) -> Verdict:
        scope: dict[str, object] = {}
        exec("import math\nfrom ddpm_lib import exercises", scope)
        *body, call = ast.parse(code).body
        exec(compile(ast.Module(body, []), "<cell>", "exec"), scope)
        assert isinstance(call, ast.Expr)
        judged = eval(compile(ast.Expression(call.value), "<cell>", "eval"), scope)
        assert isinstance(judged, Verdict)
        return judged

    assert not verdict(attempt)
    assert verdict(answer[: answer.index("verdict =")] + "exercises.check_two_steps(two_steps)")
