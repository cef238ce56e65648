"""How many images are enough: one recipe on 100 to 60,000 digits, and how much of what it draws is copied.

    OMP_NUM_THREADS=1 python -m benchmarks.memorize

Every arm trains `cpu-minutes` for as many steps, on the first n training digits, and draws without guidance. A drawn
digit is a copy where its nearest training digit is less than a third as far as the second nearest (Yoon et al. 2023);
`near` is the median distance to the nearest training digit, in units of that of held-out digits. In the arms with
`flip` half of the images are mirrored while training. The result is part of the package:
ddpm_lib/assets/measured/memorize.json, and memorize.png: for every arm a row of drawn digits over their nearest
training digits. The file is written after every arm, and a second run measures only what is missing.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.arms import Drawn, Key, Row, distance, draw, run, train_on
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.models import Network, build
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "memorize.json"
PRESET, DDIM_STEPS, SHOWN = PRESETS["cpu-minutes"], 50, 10
ARMS = [{"images": n, "flip": False} for n in (100, 1_000, 10_000, 60_000)] + [
    {"images": 1_000, "flip": True}
]
THIRD = 1 / 3  # of the distance to the second nearest: below, a digit is a copy


def nearest(x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Distances, (n, 2), of images x to their nearest and second nearest of `known`, and which the nearest is."""
    parts = [
        torch.cdist(some.flatten(1), known.flatten(1)).topk(2, dim=1, largest=False) for some in x.split(100)
    ]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices[:, 0] for part in parts])


def main(argv: list[str] | None = None) -> bool:
    """Measure what is missing; True when nothing is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=3000, help="training steps a network (default: 3000)")
    parser.add_argument("--samples", type=int, default=1000, help="digits drawn a network (default: 1000)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    diffusion, held_out = (
        GaussianDiffusion(PRESET.noise_schedule()),
        mnist(train=False).x0(slice(0, args.samples)),
    )

    def measure(key: Key) -> tuple[Row, Tensor]:
        data = mnist().head(key["images"])
        config = replace(PRESET.train, steps=args.steps, seconds=None, flip=key["flip"])
        torch.manual_seed(0)
        last = train_on(build(PRESET.model), diffusion, config, args.device, data=data)
        average: Network = last.state.ema.average  # type: ignore[assignment]
        x, known = draw(average, diffusion, Drawn(args.samples, DDIM_STEPS, args.device)), data.x0()
        apart, which = nearest(x, known)
        usual, _ = nearest(held_out, known)
        row = {
            "loss": round(last.loss, 4),
            "distance": distance(x),
            "agreement": round(digit_classes(x, class_labels(len(x), 10)).agreement or 0.0, 3),
            "copies": round(float((apart[:, 0] < THIRD * apart[:, 1]).float().mean()), 3),
            "copies held out": round(float((usual[:, 0] < THIRD * usual[:, 1]).float().mean()), 3),
            "near": round(float(apart[:, 0].median() / usual[:, 0].median()), 3),
            "seconds": round(last.seconds, 1),
        }
        return row, torch.cat([x[:SHOWN], known[which[:SHOWN]]])

    head = {
        "what": "copies: share of drawn digits less than a third as far from the nearest training digit as from the "
        "second nearest; near: median distance to the nearest, in units of that of held-out digits",
        "steps": args.steps,
        "batch": PRESET.train.batch,
        "samples": args.samples,
        "ddim": DDIM_STEPS,
    }
    return run(args.out, head, ARMS, measure, 2 * SHOWN)


if __name__ == "__main__":
    sys.exit(not main())
