"""A notebook's copy in plain Markdown: its code to the byte, folded where the book folds it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.notebook import Notebook, notebooks, read, source, write
from tools.plain.markdown import Translator
from tools.plain.places import Course

FOLDED = {"hide-cell", "hide-input", "remove-cell"}  # the book's tags
IN_LAB, IN_COLAB = {"source_hidden": True}, "form"


def plain(notebook: Notebook, translator: Translator) -> Notebook:
    """The copy of one chapter."""
    copy: Notebook = json.loads(json.dumps(notebook))
    for cell in copy["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = translator.text(source(cell)).splitlines(keepends=True)
        elif FOLDED & set(cell["metadata"].get("tags", [])):
            cell["metadata"] |= {"jupyter": IN_LAB, "cellView": IN_COLAB}
    return copy


def copies(course: Course) -> dict[Path, Notebook]:
    """The copy of every notebook, by its path within the course."""
    paths = [path.relative_to(course.root) for path in notebooks(course.root)]
    return {
        path: plain(read(course.root / path), Translator(course, path.with_suffix("").as_posix()))
        for path in paths
    }


def write_all(course: Course, out: Path) -> list[Path]:
    """Write every copy into the folder `out`, which holds nothing else; return their paths."""
    made = copies(course)
    shutil.rmtree(out, ignore_errors=True)
    for path, notebook in made.items():
        write(out / path.name, notebook)
    return [out / path.name for path in made]
