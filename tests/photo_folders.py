"""Folders of small photos."""

from pathlib import Path

import pytest
from PIL import Image


def put(path: Path, color: int | tuple[int, ...] = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(color, int) else "RGB", (4, 4), color).save(path, "PNG")


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """Two classes of two grey images each."""
    for name in ("cat/a.png", "cat/b.png", "dog/a.png", "dog/b.png"):
        put(tmp_path / "photos" / name)
    return tmp_path / "photos"
