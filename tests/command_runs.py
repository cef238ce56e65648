"""A run by the command line, for the tests of the commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddpm_lib.__main__ import main


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small color pictures in two classes."""
    folder, rng = tmp_path_factory.mktemp("cli") / "photos", np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def train(photos: Path, out: Path, *more: str) -> int:
    options = ["--size", "8", "--batch", "4", "--precision", "float32", "--device", "cpu"]
    return main(["train", "unet", "--data", str(photos), "--out", str(out), *options, *more])


@pytest.fixture(scope="module")
def trained(photos: Path) -> Path:
    """A run of twenty steps on the photos: not to be changed."""
    assert train(photos, photos.parent / "run", "--steps", "20") == 0
    return photos.parent / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """The checkpoint of that run, in a folder of the test's own."""
    return shutil.copytree(trained, tmp_path / "run") / "checkpoint.safetensors"


def mistake(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail; return its one line of complaint."""
    assert main(argv) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]
