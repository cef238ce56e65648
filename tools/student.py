"""The notebooks for a class: without solutions, with every exercise, hint and grader.

python -m tools.student     in plain Markdown, into _build/student
"""

from __future__ import annotations

import re
from pathlib import Path

from tools.equations import ROOT
from tools.notebook import Cell, Notebook, source, write
from tools.plain.copies import copies
from tools.plain.places import Course

OUT = ROOT / "_build" / "student"
SOLUTION = "# @title Solution"
FOLD = re.compile(r"\n*<details>\s*<summary>\s*Solution\b.*?</details>\n*", re.DOTALL | re.IGNORECASE)
SAID = "Hints and solutions are folded"


def is_solution(cell: Cell) -> bool:
    """Whether a cell is the solution of an exercise."""
    return cell["cell_type"] == "code" and source(cell).startswith(SOLUTION)


def without_solutions(notebook: Notebook) -> Notebook:
    """The same notebook, its solutions left out."""
    cells = [dict(cell) for cell in notebook["cells"] if not is_solution(cell)]
    for cell in cells:
        if cell["cell_type"] == "markdown":
            text = FOLD.sub("\n\n", source(cell)).replace(SAID, "Hints are folded").rstrip("\n")
            cell["source"] = text.splitlines(keepends=True)
    return {**notebook, "cells": cells}


def write_student(course: Course, out: Path) -> list[Path]:
    """Write every notebook for a class into the folder `out`; return their paths."""
    made = {out / path.name: without_solutions(copy) for path, copy in copies(course).items()}
    for path, notebook in made.items():
        write(path, notebook)
    return list(made)


if __name__ == "__main__":
    print(f"{len(write_student(Course(ROOT), OUT))} notebooks without solutions: {OUT.relative_to(ROOT)}")
