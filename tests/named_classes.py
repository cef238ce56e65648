"""Photos and networks whose classes have names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ddpm_lib.__main__ import main
from tests.tiny import pictures, train


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("classes") / "photos")


@pytest.fixture
def run(photos: Path, tmp_path: Path) -> Path:
    """A run of four steps on cats and dogs, in a folder of the test's own."""
    kept = photos.parent / "run"
    if not kept.exists():
        assert train(photos, kept, "--steps", "4") == 0
    return shutil.copytree(kept, tmp_path / "run")


def shards(folder: Path, classes: list[str]) -> Path:
    """The pictures as shards, with these names for their numbers."""
    pytest.importorskip("webdataset")
    pictures(folder / "photos")
    assert main(["shard", str(folder / "photos"), str(folder / "shards"), "--size", "8"]) == 0
    index = json.loads((folder / "shards" / "index.json").read_text())
    (folder / "shards" / "index.json").write_text(json.dumps(index | {"classes": classes}))
    return folder / "shards"
