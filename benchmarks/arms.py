"""An experiment in arms: each arm is measured once, and what is measured is kept at once, figures and pictures."""

from __future__ import annotations

import copy
import json
import math
import time
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.jobs import in_turn
from benchmarks.machine import machine
from benchmarks.rows import compact
from ddpm_lib.data import Batches, ImageData, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.generate import class_labels, generate, tile, with_guidance
from ddpm_lib.evaluate.metrics import frechet_distance
from ddpm_lib.models import Network, classes_of
from ddpm_lib.train import Machine, Progress, TrainConfig, train
from ddpm_lib.train.config import Precision
from ddpm_lib.train.machine.compiling import tune
from ddpm_lib.train.machine.quickest import Loop, quickest

Key = dict[str, Any]
Row = dict[str, Any]
SHORT = 500  # steps: a shorter run is over before the faster of two loops is found


@dataclass(frozen=True)
class Drawn:
    """How digits are drawn from every arm alike: DDIM, the classes in turn."""

    samples: int
    steps: int
    device: str
    guidance: float = 0.0


def train_on(
    model: Network,
    diffusion: GaussianDiffusion,
    config: TrainConfig,
    device: str,
    precision: Precision = "float32",
    say: Callable[[str], None] = print,
    stop: Callable[[Progress], bool] = lambda progress: False,
    data: ImageData | None = None,
) -> Progress:
    """Train `model` on `data` or MNIST to its end or until `stop`; on CUDA by the fastest loop that agrees."""
    model.to(device)
    make: Callable[[], Network] = lambda: model  # noqa: E731
    loop: Loop = train
    computed = machine_of(device, precision)
    batches = Batches((data or mnist()).to(device), config.batch, config.seed)
    if device == "cuda":
        tune(torch.device(device))
        torch.backends.cudnn.benchmark = True
        if config.steps >= SHORT:
            # fresh copies: a trial trains what it is given
            make, loop = quickest(lambda: copy.deepcopy(model), diffusion, batches, config, computed, say)
    last = None
    for progress in loop(make(), diffusion, batches, config, None, computed):
        last = progress
        if stop(progress):
            break
    assert last is not None
    return last


def machine_of(device: str, precision: Precision = "float32") -> Machine:
    """How `train_on` computes a step: channels_last, and on CUDA always in bfloat16."""
    return Machine(precision="bfloat16" if device == "cuda" else precision, channels_last=True)


def draw(model: Network, diffusion: GaussianDiffusion, drawn: Drawn) -> Tensor:
    """Digits from a trained network, on the CPU."""
    network = with_guidance(model, drawn.guidance)
    y = class_labels(drawn.samples, classes_of(model.config))
    how = {"steps": drawn.steps, "device": drawn.device, "batch": 256 if drawn.device == "cuda" else 64}
    return torch.cat(list(generate(network, diffusion, (1, 28, 28), range(drawn.samples), y=y, **how)))  # type: ignore[arg-type]


def distance(x: Tensor) -> float:
    """Frechet distance to the 10,000 test digits."""
    return round(frechet_distance(in_batches(digit_classifier().features, x), reference()), 1)


def evenly(y: Tensor, n: int, draw: int) -> Tensor:
    """Places of n images of the ten classes in turn, as drawn digits have them; no two draws share an image."""
    mixed = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
    each = -(-n // 10)
    of_class = [mixed[y[mixed] == digit][draw * each : (draw + 1) * each] for digit in range(10)]
    return torch.stack(of_class, dim=1).flatten()[:n]


@cache
def reference() -> Tensor:
    """The features of the 10,000 test digits."""
    return in_batches(digit_classifier().features, mnist(train=False).x0())


def train_and_draw(
    model: Network,
    diffusion: GaussianDiffusion,
    config: TrainConfig,
    drawn: Drawn,
    precision: Precision = "float32",
) -> tuple[Row, Tensor]:
    """Train `model` on MNIST, draw with its averaged weights, and measure; what it drew comes along."""
    begun = time.perf_counter()
    last = train_on(model, diffusion, config, drawn.device, precision)
    seconds = time.perf_counter() - begun
    x = draw(last.state.ema.average, diffusion, drawn)  # type: ignore[arg-type]
    row = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": round(last.loss, 4),
        "distance": distance(x),
        "seconds": round(seconds, 1),
    }
    return row, x


def run(
    out: Path,
    head: dict[str, Any],
    keys: Sequence[Key],
    measure: Callable[[Key], tuple[Row, Tensor]],
    shown: int,
    until: float = math.inf,
    jobs: int = 1,
) -> bool:
    """Measure every arm that `out` does not hold yet, and write `out` and a PNG of `shown` pictures an arm after each.

    A file that was measured under another `head` is begun anew. No arm is begun that would not end by `until` (see
    jobs.in_turn); True when all are measured. The rows are those that were there, then in the order of `keys`; one that
    was measured on another machine than the first says so.
    """
    here = {**machine(), "threads": torch.get_num_threads()}
    first = here
    pictures, rows, strips = out.with_suffix(".png"), [], []
    if out.is_file():
        before = json.loads(out.read_text(encoding="utf-8"))
        if before["rows"] and all(before.get(name) == value for name, value in head.items()):
            rows, first = before["rows"], before["machine"]
            strips = np.array_split(np.array(Image.open(pictures)), len(rows))
    missing = [key for key in keys if not any(key.items() <= row.items() for row in rows)]
    there, measured = len(rows), list[int]()  # the places in `missing` of what was measured, in order
    for key, (figures, strip) in in_turn(missing, partial(_measured, measure, shown), until, jobs):
        insort(measured, missing.index(key))
        at = there + measured.index(missing.index(key))
        rows.insert(at, {**key, **figures, **({} if here == first else {"machine": here})})
        strips.insert(at, strip)
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(strips)).save(pictures, optimize=True)
        out.write_text(compact({**head, "machine": first, "rows": rows}) + "\n", encoding="utf-8")
        print(rows[at], flush=True)
    left = [key for place, key in enumerate(missing) if place not in measured]
    if left:
        print(f"{out.stem}: no time is left for {left[0]} and what follows", flush=True)
    return not left


def _measured(measure: Callable[[Key], tuple[Row, Tensor]], shown: int, key: Key) -> tuple[Row, np.ndarray]:
    figures, x = measure(key)
    return figures, tile(x[:shown], shown, pad=0).squeeze(-1)
