"""What a few minutes of two CPU cores give: the Frechet distance of the live runs, three seeds each.

    python -m benchmarks.live

`cpu-minutes` is trained for 1,000 steps of 32, which is a minute on two cores that are not busy with anything else, and
the same network without classes for 2,500, two and a half minutes. Both are measured alike:
2,048 digits by DDIM in 50 steps, with guidance 0.5 where there are classes, against the 10,000 test digits. `seconds`
is how long the training took on the machine that is named, with the threads that are named. The result goes to
benchmarks/results/live.json; it is written after every run, and a second call measures only what is missing.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.arms import Drawn, Key, Row, run, train_and_draw
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet
from ddpm_lib.train.presets import PRESETS

RESULT = Path(__file__).parent / "results" / "live.json"
PRESET = PRESETS["cpu-minutes"]
ARMS = {"told the class": (10, 1_000), "not told": (0, 2_500)}  # classes, steps of 32
SEEDS, SAMPLES, DDIM_STEPS = 3, 2048, 50
SHOWN = 20  # images of each run in live.png


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="digits drawn a network (default: 2048)")
    parser.add_argument("--share", type=float, default=1.0, help="of the steps, for a rehearsal (default: 1)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()

    def measure(key: Key) -> tuple[Row, Tensor]:
        classes, steps = ARMS[key["arm"]]
        torch.manual_seed(key["seed"])
        net = UNet(replace(PRESET.model, classes=classes))  # type: ignore[arg-type]
        config = replace(PRESET.train, steps=round(args.share * steps), seconds=None, seed=key["seed"])
        drawn = Drawn(args.samples, DDIM_STEPS, args.device, guidance=0.5)
        row, x = train_and_draw(net, GaussianDiffusion(PRESET.noise_schedule()), config, drawn)
        return {"steps": config.steps, **row}, x

    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "batch": PRESET.train.batch,
        "samples": args.samples,
        "share": args.share,
    }
    keys = [{"seed": seed, "arm": arm} for seed in range(SEEDS) for arm in ARMS]
    run(args.out, head, keys, measure, SHOWN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
