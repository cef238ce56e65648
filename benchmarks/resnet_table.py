"""What is wrong with the first ResNet: one channel, a narrow view, no time? Each repaired, alone and together.

    OMP_NUM_THREADS=1 python -m benchmarks.resnet_table

Eight ResNets of four blocks, all else equal: 1 or 16 feature maps, plain or dilated convolutions (a view of 17 pixels,
or of the whole image), told the time or not. Each is trained with three seeds as the classic experiment is, with fewer
steps, and draws digits with DDIM; `distance` is `metrics.digit_distance` to the 10,000 test digits. The result is read
by the chapter on the ResNet, so it is part of the package: ddpm_lib/assets/measured/resnet.json. The file is written
after every network, and a second run measures only what is missing.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.arms import Drawn, Key, Row, run, train_and_draw
from ddpm_lib.data import ASSETS
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import ResNetConfig, build
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train.presets import CLASSIC

RESULT = ASSETS / "measured" / "resnet.json"
WIDTH, BLOCKS, T, DDIM_STEPS = 16, 4, 500, 50
SEEDS = (0, 1, 2)  # of the weights, the batches and the noise of training; the noise drawn from is the same
SHOWN = 12  # images of each network in resnet.png


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1000, help="training steps a network (default: 1000)")
    parser.add_argument("--samples", type=int, default=1024, help="digits drawn a network (default: 1024)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()

    def measure(key: Key) -> tuple[Row, Tensor]:
        torch.manual_seed(key["seed"])
        wide = key["width"] > 1
        model = build(
            ResNetConfig(width=WIDTH if wide else 0, blocks=BLOCKS, dilate=key["dilate"], time=key["time"])
        )
        config = replace(CLASSIC, steps=args.steps, seed=key["seed"])
        drawn = Drawn(args.samples, DDIM_STEPS, args.device)
        return train_and_draw(model, GaussianDiffusion(linear_schedule(T)), config, drawn)

    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "steps": args.steps,
        "batch": CLASSIC.batch,
        "samples": args.samples,
    }
    keys = [
        {"width": WIDTH if wide else 1, "dilate": dilate, "time": timed, "seed": seed}
        for seed in SEEDS
        for wide, dilate, timed in product((False, True), repeat=3)
    ]
    run(args.out, head, keys, measure, SHOWN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
