"""An experiment in arms: each arm is measured once, and what is measured is kept at once, figures and pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.machine import machine
from ddpm_lib.data import Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, generate, tile, with_guidance
from ddpm_lib.evaluate.metrics import digit_distance
from ddpm_lib.models import Network, classes_of
from ddpm_lib.train import Machine, TrainConfig, train
from ddpm_lib.train.config import Precision

Key = dict[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """How digits are drawn from every arm alike: DDIM, the classes in turn."""

    samples: int
    steps: int
    device: str
    guidance: float = 0.0


def train_and_draw(
    model: Network,
    diffusion: GaussianDiffusion,
    config: TrainConfig,
    drawn: Drawn,
    precision: Precision = "float32",
) -> tuple[Row, Tensor]:
    """Train `model` on MNIST, draw with its averaged weights, and measure; what it drew comes along."""
    model.to(drawn.device)
    last = None
    begun = time.perf_counter()
    machine, batches = (
        Machine(precision=precision, channels_last=True),
        Batches(mnist().to(drawn.device), config.batch),
    )
    for progress in train(model, diffusion, batches, config, machine=machine):
        last = progress
    assert last is not None
    seconds = time.perf_counter() - begun
    network = with_guidance(last.state.ema.average, drawn.guidance)  # type: ignore[arg-type]
    y = class_labels(drawn.samples, classes_of(model.config))
    how = {"steps": drawn.steps, "device": drawn.device}
    x = torch.cat(list(generate(network, diffusion, (1, 28, 28), range(drawn.samples), y=y, **how)))  # type: ignore[arg-type]
    row = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": round(last.loss, 4),
        "distance": round(digit_distance(x, mnist(train=False).x0()), 1),
        "seconds": round(seconds, 1),
    }
    return row, x


def run(
    out: Path,
    head: dict[str, Any],
    keys: Sequence[Key],
    measure: Callable[[Key], tuple[Row, Tensor]],
    shown: int,
) -> None:
    """Measure every arm that `out` does not hold yet, and write `out` and a PNG of `shown` pictures an arm after each.

    A file that was measured under another `head` is begun anew.
    """
    result: dict[str, Any] = {
        **head,
        "machine": {**machine(), "threads": torch.get_num_threads()},
        "rows": [],
    }
    if out.is_file():
        before = json.loads(out.read_text(encoding="utf-8"))
        if all(before.get(name) == value for name, value in head.items()):
            result["rows"] = before["rows"]
    pictures = out.with_suffix(".png")
    for key in keys:
        if any(key.items() <= row.items() for row in result["rows"]):
            continue
        figures, x = measure(key)
        out.parent.mkdir(parents=True, exist_ok=True)
        above = np.array(Image.open(pictures)) if result["rows"] else np.empty((0, 28 * shown), np.uint8)
        page = np.concatenate([above, tile(x[:shown], shown, pad=0).squeeze(-1)])
        Image.fromarray(page).save(pictures, optimize=True)
        result["rows"].append({**key, **figures})
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(result["rows"][-1], flush=True)
