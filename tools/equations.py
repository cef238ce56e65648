"""The book's numbered equations: where each is derived, which function computes it, which test holds it.

Nothing is listed by hand. A chapter labels an equation, `$$ ... $$ (eq-name)`; a docstring of `ddpm_lib` says
which ones its function computes, in a paragraph

    Book: eq-name (Ho et al. 2020, eq. 4); eq-other.

and a test says which ones it holds, `@pytest.mark.equation("eq-name")`. The book's build writes
book/equations.md from these (tools/equations_page.py) and fails where one of the three is missing.

    python -m tools.equations     print the counts and what is missing
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.notebook import read, source

ROOT = Path(__file__).resolve().parent.parent

# One display formula, with the label that follows it where it has one
DISPLAY = re.compile(r"\$\$(.+?)\$\$(?:[ \t]*\((eq-[a-z0-9-]+)\))?", re.DOTALL)
BOOK = re.compile(r"^Book:\s*(.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"(eq-[a-z0-9-]+)(?:\s+\(([^()]*)\))?")


@dataclass
class Equation:
    """One numbered equation of the book, and everything that names it."""

    label: str
    chapter: str  # as _toc.yml names it
    formula: str  # TeX
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


def left_out(root: Path = ROOT) -> list[str]:
    """The notebooks that a copy of the course keeps out of its _toc.yml."""
    every = (path.relative_to(root).with_suffix("").as_posix() for path in (root / "book").glob("*.ipynb"))
    return sorted(set(every) - set(chapters(root)))


def labels(root: Path = ROOT, names: list[str] | None = None) -> Iterator[tuple[str, str, str]]:
    """(label, chapter, formula) of every labelled equation of these chapters, or of all, in reading order."""
    for chapter in chapters(root) if names is None else names:
        for cell in read(root / f"{chapter}.ipynb")["cells"]:
            if cell["cell_type"] == "markdown":
                for formula, label in DISPLAY.findall(source(cell)):
                    if label:
                        yield label, chapter, formula.strip()


def numbers(root: Path = ROOT) -> dict[str, str]:
    """The number of every labelled equation as the built book shows it, "1.3", or "1" in a chapter without a number.

    Sphinx counts within a chapter that has a number, and goes on counting through all that have none.
    """
    numbered, chapter, found = False, 0, {}
    place: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for line in (root / "_toc.yml").read_text(encoding="utf-8").splitlines():
        if re.match(r" *- (caption|chapters):", line):
            numbered = False  # a new part
        numbered = numbered or re.match(r" *numbered: *(?!false)\S", line, re.IGNORECASE) is not None
        if file := re.match(r" *(?:- )?(?:root|file): (\S+)", line):
            chapter += numbered
            place[file[1]] = f"{chapter}." if numbered else ""
    for label, name, _ in labels(root):
        counts[place[name]] += 1
        found[label] = f"{place[name]}{counts[place[name]]}"
    return found


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
    elsewhere = {label for label, *_ in labels(root, left_out(root))}
    for label, chapter, formula in labels(root):
        if label in equations:
            problems.append(f"{label} is labelled twice: in {equations[label].chapter} and in {chapter}.")
        equations.setdefault(label, Equation(label, chapter, formula))
    for label, paper, file, name in named_by_functions(root):
        if label not in equations:
            if label in elsewhere:
                continue
            problems.append(f"{file}: the docstring of {name} names {label}, which no chapter labels.")
            continue
        equations[label].functions.append((file, name))
        if paper and paper not in equations[label].papers:
            equations[label].papers.append(paper)
    for label, file, name in named_by_tests(root):
        if label not in equations:
            if label in elsewhere:
                continue
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


def main() -> int:
    equations, problems = collect()
    print(*problems, counts(equations), sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
