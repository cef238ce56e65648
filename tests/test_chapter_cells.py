"""Of a chapter, just the cells that read a measurement are run, and one that fails is named."""

import json
from pathlib import Path

import pytest

from tests import chapter_cells

CELLS = {
    "imports": "import os\nmeasured = {'speed': [1, 2], 'other': []}.get",
    "alone": "raise ValueError('this cell reads nothing')",
    "helper": "def double(x):\n    return 2 * x",
    "read": "rows = measured('speed')\nfor row in rows:\n    double(row)\nassert len(rows) > 9",
    "build": "assert False\nfirst = rows[0]",
    "late": "print(first['name'])",
    "again": "rows = []",
    "after": "raise ValueError(rows)",
    "long": "train(first)",
    "ex1-try": "rows = measured('speed') + ...",
}


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    cells = [{"cell_type": "code", "id": key, "source": text} for key, text in CELLS.items()]
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "id": "title", "source": "#"}, *cells]}))
    return path


def test_they_are_those_that_show_it_and_those_that_these_need(chapter: Path) -> None:
    found = chapter_cells.reading(chapter, {"speed"})
    assert list(found) == ["imports", "helper", "read", "build", "late"]
    assert "assert" not in "".join(found.values())
    assert list(chapter_cells.reading(chapter, {"other"})) == []


def test_a_cell_that_fails_is_named(chapter: Path, tmp_path: Path) -> None:
    found = chapter_cells.reading(chapter, {"speed"})
    with pytest.raises(AssertionError, match=r"The cell late fails: [\s\S]*not subscriptable"):
        chapter_cells.run(found, tmp_path, tmp_path)
    del found["late"]
    chapter_cells.run(found, tmp_path, tmp_path)
