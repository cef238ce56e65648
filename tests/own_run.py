"""A run on photos of one's own, and what it draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddpm_lib.__main__ import main
from tests.tiny import pictures, train

CHOSEN = ["--width", "12", "--levels", "2", "--predicts", "v", "--schedule", "linear", "-T", "40"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures in two classes."""
    return pictures(tmp_path / "photos")


@pytest.fixture
def run(photos: Path, tmp_path: Path) -> Path:
    """A run of two steps with options of its own."""
    options = [*CHOSEN, "--ema", "0.9", "--flip", "--steps", "2"]
    assert train(photos, tmp_path / "run", *options) == 0
    return tmp_path / "run" / "checkpoint.safetensors"


def mistake(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that cannot be carried out says."""
    capsys.readouterr()
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said
