"""The table of equations: where each is derived, which function computes it, which test holds it.

Nothing is listed by hand. A chapter labels an equation, `$$ ... $$ (eq-name)`; a docstring of `ddpm_lib` says
which ones its function computes, in a paragraph

    Book: eq-name (Ho et al. 2020, eq. 4); eq-other.

and a test says which ones it holds, `@pytest.mark.equation("eq-name")`. The book's build writes
book/equations.md from these (tools/sphinx_course.py) and fails where one of the three is missing.

    python -m tools.equations     print the counts and what is missing
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.colab import read, source

ROOT = Path(__file__).resolve().parent.parent
PAGE = "book/equations"  # as _toc.yml names it

LABEL = re.compile(r"\$\$[ \t]*\((eq-[a-z0-9-]+)\)")
BOOK = re.compile(r"^Book:\s*(.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"(eq-[a-z0-9-]+)(?:\s+\(([^()]*)\))?")


@dataclass
class Equation:
    """One numbered equation of the book, and everything that names it."""

    label: str
    chapter: str  # as _toc.yml names it
    functions: list[tuple[str, str]] = field(default_factory=list)  # (file, name)
    tests: list[tuple[str, str]] = field(default_factory=list)
    papers: list[str] = field(default_factory=list)  # "Ho et al. 2020, eq. 4"

    @property
    def name(self) -> str:
        """The label as words."""
        return self.label.removeprefix("eq-").replace("-", " ")


class Incomplete(ValueError):
    """An equation without a function or a test, or a name that belongs to no equation."""


def chapters(root: Path = ROOT) -> list[str]:
    """The notebooks of _toc.yml, in reading order."""
    files = re.findall(r"(?:root|file): (\S+)", (root / "_toc.yml").read_text(encoding="utf-8"))
    return [file for file in files if (root / f"{file}.ipynb").is_file()]


def labels(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """(label, chapter) of every labelled equation, in reading order."""
    for chapter in chapters(root):
        for cell in read(root / f"{chapter}.ipynb")["cells"]:
            if cell["cell_type"] == "markdown":
                yield from ((label, chapter) for label in LABEL.findall(source(cell)))


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """(name, node) of every function, class and method, outermost first."""
    for node in body:
        if isinstance(node, Definition):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from definitions(node.body, f"{prefix}{node.name}.")


def named_by_functions(root: Path = ROOT) -> Iterator[tuple[str, str, str, str]]:
    """(label, paper's number or "", file, function) for every entry of a "Book:" paragraph."""
    for path in sorted((root / "ddpm_lib").rglob("*.py")):
        for name, node in definitions(ast.parse(path.read_text(encoding="utf-8")).body):
            for paragraph in BOOK.findall(ast.get_docstring(node) or ""):
                for label, paper in ENTRY.findall(paragraph):
                    yield label, " ".join(paper.split()), path.relative_to(root).as_posix(), name


def named_by_tests(root: Path = ROOT) -> Iterator[tuple[str, str, str]]:
    """(label, file, test) for every label in a `pytest.mark.equation(...)`."""
    for path in sorted((root / "tests").glob("test_*.py")):
        for name, node in definitions(ast.parse(path.read_text(encoding="utf-8")).body):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.equation":
                    for argument in mark.args:
                        yield ast.literal_eval(argument), path.relative_to(root).as_posix(), name


def collect(root: Path = ROOT) -> tuple[list[Equation], list[str]]:
    """The book's equations in reading order, and everything that is wrong with them."""
    equations: dict[str, Equation] = {}
    problems = []
    for label, chapter in labels(root):
        if label in equations:
            problems.append(f"{label} is labelled twice: in {equations[label].chapter} and in {chapter}.")
        equations.setdefault(label, Equation(label, chapter))
    for label, paper, file, name in named_by_functions(root):
        if label not in equations:
            problems.append(f"{file}: the docstring of {name} names {label}, which no chapter labels.")
            continue
        equations[label].functions.append((file, name))
        if paper and paper not in equations[label].papers:
            equations[label].papers.append(paper)
    for label, file, name in named_by_tests(root):
        if label not in equations:
            problems.append(f"{file}: {name} is marked with {label}, which no chapter labels.")
            continue
        equations[label].tests.append((file, name))
    for equation in equations.values():
        where = f"{equation.label} ({equation.chapter})"
        if not equation.functions:
            problems.append(f"{where} has no function: name it in a docstring, after 'Book:'.")
        if not equation.tests:
            problems.append(f'{where} has no test: mark one with @pytest.mark.equation("{equation.label}").')
    return list(equations.values()), problems


def counts(equations: list[Equation]) -> str:
    """How many equations, functions and tests there are."""
    functions = {function for equation in equations for function in equation.functions}
    tests = {test for equation in equations for test in equation.tests}
    return f"{len(equations)} equations, {len(functions)} functions, {len(tests)} tests"


def page(equations: list[Equation], root: Path = ROOT) -> str:
    """The table of equations as a page of the book (MyST Markdown)."""
    parts = [
        "# The equations",
        "Every numbered equation of the book: where it is derived (follow its number), the function of `ddpm_lib` "
        "that computes it, the test that fails when the two disagree, and its number in the papers, which the "
        "chapters cite. This page is made from the chapters, the docstrings and the tests when the book is built; "
        f"the build fails when one is missing. There are {counts(equations)}.",
    ]
    for chapter in chapters(root):
        rows = [equation for equation in equations if equation.chapter == chapter]
        if rows:
            stem = Path(chapter).name
            parts.append(f"## [{_title(root / f'{chapter}.ipynb')}]({stem}.ipynb)")
            parts.append(_table(rows))
    return "\n\n".join(parts) + "\n"


def _table(rows: list[Equation]) -> str:
    lines = ["| | Equation | Function | Test | In the papers |", "|---|---|---|---|---|"]
    for row in rows:
        functions = "<br>".join(f"`{name}` in `{Path(file).name}`" for file, name in row.functions)
        tests = "<br>".join(f"`{name}` in `{Path(file).name}`" for file, name in row.tests)
        papers = "<br>".join(row.papers)
        lines.append(f"| {{eq}}`{row.label}` | {row.name} | {functions} | {tests} | {papers} |")
    return "\n".join(lines)


def _title(path: Path) -> str:
    return source(read(path)["cells"][0]).splitlines()[0].removeprefix("# ")


def write(root: Path = ROOT) -> Path:
    """Write book/equations.md; raise Incomplete, with every reason, when something is missing."""
    equations, problems = collect(root)
    if problems:
        raise Incomplete("The table of equations is not complete:\n  " + "\n  ".join(problems))
    target = root / f"{PAGE}.md"
    text = page(equations, root)
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")
    return target


def main() -> int:
    equations, problems = collect()
    print(*problems, counts(equations), sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
