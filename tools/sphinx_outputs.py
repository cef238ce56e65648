"""A Sphinx extension: the pages show the outputs that the chapters' last run gave (tools/execute.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx

from tools.executed import page
from tools.last_run import RECORD


def outputs(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the parser the executed chapter in place of the one without outputs."""
    notebook = Path(app.srcdir) / f"{name}.ipynb"
    if notebook.is_file():
        shown = page(notebook, Path(app.srcdir))
        shown.metadata.pop(RECORD, None)
        source[0] = nbformat.writes(shown)  # type: ignore[no-untyped-call]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", outputs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
