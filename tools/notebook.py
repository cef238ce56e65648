"""Notebooks as nbformat's JSON, with Python alone: the workflow that publishes them installs nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]


def read(path: Path) -> Notebook:
    """The notebook at `path`, as nbformat's JSON."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def write(path: Path, notebook: Notebook) -> None:
    """Write a notebook the way Jupyter does: one space of indent, a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def source(cell: Cell) -> str:
    """A cell's source as one string (nbformat also allows a list of lines)."""
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def first_code_cell(notebook: Notebook) -> Cell | None:
    """The first code cell, or None where there is none."""
    return next((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), None)


def notebooks(root: Path) -> list[Path]:
    """Every notebook of the book, without an editor's own copies."""
    return [
        path for path in sorted((root / "book").rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts
    ]
