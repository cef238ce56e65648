"""Names that somebody means to be obeyed, and a checkpoint that has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.trained import About, Trained, export_weights
from ddpm_lib.schedule import cosine_schedule

CORPUS = {
    "script": "</script><script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "comment": "<!-- --><![CDATA[",
    "markdown": "[a](javascript:alert(1)) `b` | c",
    "clear": "\x1b[2J\x1b]0;title\x07",
    "return": "good\rbad\nddpm_lib: all is well",
    "eight-bit": "\x9b31m\x85",
    "right-to-left": "\u202egnp.exe\u2066\u200b",
    "separators": "\u2028\u2029",
    "surrogate": "\udcff\udc80",
    "dollar": "$(touch x) ${x} `x` %s {0} \\x1b",
}
HOSTILE = pytest.mark.parametrize("name", CORPUS.values(), ids=CORPUS)
ALL = " ".join(CORPUS.values())  # where a whole command runs, once
CONFIG = UNetConfig(base=8, mults=(1,), blocks=1, heads=1, activation="silu", classes=2)


def assert_plain(text: str, name: str) -> None:
    """A terminal obeys nothing of it: line ends and the bar's way back are ours, and no name holds them raw."""
    assert all(c.isprintable() or c in "\n\r" for c in text)
    assert name.isprintable() or name not in text


def checkpoint(name: str) -> Trained:
    """An untrained network whose data and classes have such names."""
    torch.manual_seed(0)
    tensors = {f"ema.{key}": value for key, value in UNet(CONFIG).state_dict().items()}
    about = About(f"data {name}", (1, 8, 8), (name, "other"))
    schedule = replace(cosine_schedule(8), name=f"schedule {name}")
    return Trained(CONFIG, schedule, about, tensors, training={"note": name})


@pytest.fixture
def file(name: str, tmp_path: Path) -> Path:
    """Its weights in a file, as a stranger may have written it: the names in JSON are raw."""
    export_weights(tmp_path / "made.safetensors", checkpoint(name))
    return tmp_path / "made.safetensors"
