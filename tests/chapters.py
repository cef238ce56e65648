"""The notebooks of the book and their cells."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(
    path for path in (ROOT / "book").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
)
NAMES = [path.relative_to(ROOT).as_posix() for path in NOTEBOOKS]
Cell = nbformat.NotebookNode


@pytest.fixture(params=NOTEBOOKS, ids=NAMES)
def notebook(request: pytest.FixtureRequest) -> Cell:
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


def code_cells(notebook: Cell) -> list[Cell]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook: Cell) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


QUESTION = re.compile(r"^\*\*\d+\. ", re.MULTILINE)
ANSWER = re.compile(
    r'<details class="self-check"><summary>([^\n]+)</summary>\n\n(Right\.|No:)(.+?)\n\n</details>', re.DOTALL
)
