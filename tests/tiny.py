"""A run that takes a second: a network of a few weights on twelve small pictures, by the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddpm_lib.__main__ import main
from ddpm_lib.models import UNetConfig
from ddpm_lib.train import TrainConfig
from ddpm_lib.train.presets import PRESETS, Preset

TINY = Preset(
    "tiny",
    UNetConfig(base=8, mults=(1,), blocks=1, heads=1, activation="silu", classes=10),
    TrainConfig(steps=20, batch=4, lr=1e-3, every=2),
    T=60,
)
CPU = ("--device", "cpu")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default preset is a tiny one."""
    monkeypatch.setitem(PRESETS, "cpu-minutes", TINY)


def pictures(folder: Path, classes: tuple[str, ...] = ("cats", "dogs"), each: int = 6) -> Path:
    """Color pictures of 9 x 8 pixels, a folder a class."""
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(each):
            Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    return folder


def train(photos: Path, out: Path, *more: str) -> int:
    """Train on the pictures, into `out`."""
    options = ["--data", str(photos), "--size", "8", "--precision", "float32", "--out", str(out)]
    return main(["train", *options, *CPU, *more])
