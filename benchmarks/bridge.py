"""From the classic experiment to `cpu-minutes`: what each change is worth, one after the other.

    OMP_NUM_THREADS=1 python -m benchmarks.bridge

The first arm is the classic recipe with the small U-Net (`classic-small`), the last is `cpu-minutes` with guidance.
Each arm keeps the changes of those before it and adds one. All take as many steps and draw alike, each with three
seeds; `distance` is `metrics.digit_distance` to the 10,000 test digits. The result is part of the package:
ddpm_lib/assets/measured/bridge.json, and bridge.png with ten digits of every network. The file is written after every
network, and a second run measures only what is missing. (The one there was made with --steps 1000 --samples 1024.)
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.arms import Drawn, Key, Row, distance, draw, run, train_on
from ddpm_lib.data import ASSETS
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import Network, build
from ddpm_lib.schedule import SCHEDULES
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "bridge.json"
FIRST, LAST = PRESETS["classic-small"], PRESETS["cpu-minutes"]
SEEDS, DDIM_STEPS, SHOWN, GUIDANCE = 3, 20, 10, 0.5

# what is changed -> fields of the network, of the training, and the noise schedule, all as `cpu-minutes` has them
CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, ...], bool]] = {
    "the classic recipe": ((), (), False),
    "the class": (("classes",), (), False),
    "x0 as target": (("predicts",), (), False),
    "drawing of t": ((), ("draw_t",), False),
    "norm": (("groups", "activation", "scale_shift"), (), False),
    "noise schedule": ((), (), True),
    "learning rate": ((), ("batch", "lr", "warmup", "decay", "betas", "clip", "ema"), False),
    "guidance": ((), (), False),
}


def recipe(arm: str) -> tuple[Any, Any, str]:
    """The network's and the training's configuration and the noise schedule of an arm: all changes up to it."""
    model, train, schedule = FIRST.model, FIRST.train, FIRST.schedule
    for name, (network, training, noise) in CHANGES.items():
        model = replace(model, **{field: getattr(LAST.model, field) for field in network})
        train = replace(train, **{field: getattr(LAST.train, field) for field in training})
        schedule = LAST.schedule if noise else schedule
        if name == arm:
            break
    return model, train, schedule


def main(argv: list[str] | None = None, until: float = math.inf) -> bool:
    """Measure what is missing; no arm is begun that would not end by `until` (see arms.run). True when none is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=3000, help="training steps a network (default: 3000)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"networks an arm (default: {SEEDS})")
    parser.add_argument("--samples", type=int, default=2048, help="digits drawn a network (default: 2048)")
    parser.add_argument("--ddim", type=int, default=DDIM_STEPS, help=f"steps (default: {DDIM_STEPS})")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    before: dict[tuple[Any, ...], tuple[Row, Network]] = {}  # the last network: guidance needs no other

    def measure(key: Key) -> tuple[Row, Tensor]:
        model, train, schedule = recipe(key["arm"])
        train = replace(train, steps=args.steps, seconds=None, seed=key["seed"])
        diffusion = GaussianDiffusion(SCHEDULES[schedule](FIRST.T))
        if (model, train, schedule) not in before:
            torch.manual_seed(key["seed"])
            network = build(model)
            last = train_on(network, diffusion, train, args.device)
            row = {
                "parameters": sum(p.numel() for p in network.parameters()),
                "loss": round(last.loss, 4),
                "seconds": round(last.seconds, 1),
            }
            before.clear()
            before[model, train, schedule] = row, last.state.ema.average  # type: ignore[assignment]
        row, average = before[model, train, schedule]
        guidance = GUIDANCE if key["arm"] == "guidance" else 0.0
        x = draw(average, diffusion, Drawn(args.samples, args.ddim, args.device, guidance))
        return {**row, "distance": distance(x)}, x

    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "steps": args.steps,
        "samples": args.samples,
        "ddim": args.ddim,
        "guidance": GUIDANCE,
    }
    keys = [{"seed": seed, "arm": arm} for seed in range(args.seeds) for arm in CHANGES]
    return run(args.out, head, keys, measure, SHOWN, until)


if __name__ == "__main__":
    sys.exit(not main())
