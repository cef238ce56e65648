"""The film of the chapter "Train it now": what its network draws while it learns.

    OMP_NUM_THREADS=1 python -m benchmarks.film

The network, the training and the noise are the chapter's own. Its page shows these pictures where the machine that
builds it is too slow to take all the steps in the chapter's time.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.rows import Row, write
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, last, tile
from ddpm_lib.models import build
from ddpm_lib.sampling import ddim_step, sample
from ddpm_lib.train import Machine, train
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "film.json"
STEPS, FRAMES, DIGITS = 1000, 10, 20


def film(steps: int = STEPS) -> tuple[list[Row], Tensor]:
    """A row for each frame, and the frames: (frames * 20, 1, 28, 28) in [-1, 1]."""
    preset = PRESETS["cpu-minutes"]
    rows: list[Row] = []
    frames: list[Tensor] = []
    diffusion = GaussianDiffusion(preset.noise_schedule())
    config = replace(preset.train, steps=steps, seconds=None)
    batches = Batches(mnist(), config.batch)
    labels = class_labels(DIGITS, classes=10)
    torch.manual_seed(0)
    model = build(preset.model)
    for p in train(model, diffusion, batches, config, machine=Machine(channels_last=True)):
        if p.share == 1 or p.share > len(frames) / FRAMES:
            average: Any = p.state.ema.average
            walk = sample(
                average, diffusion, (1, 28, 28), seeds=range(DIGITS), y=labels, step=ddim_step, steps=10
            )
            frames.append(last(walk).xt)
            rows.append({"step": p.step, "loss": round(p.loss, 4)})
    return rows, torch.cat(frames)


def main() -> int:
    rows, frames = film()
    head = {
        "what": "twenty digits drawn while the network of train_now learns",
        "steps": STEPS,
        "machine": machine(),
    }
    write(RESULT, {**head, "rows": rows})
    Image.fromarray(tile(frames, DIGITS, pad=0).squeeze(-1)).save(RESULT.with_suffix(".png"), optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
