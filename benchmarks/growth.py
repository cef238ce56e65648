"""How the cost of training and sampling grows: with the images' size, the batch, the parameters, and T.

    OMP_NUM_THREADS=1 python -m benchmarks.growth

Each curve changes one thing about the middle case: the network of a million parameters that benchmarks/peers.py
times, 28 x 28 pixels, batches of 64, T = 500. All points of a curve are timed in turn, once a round; a row holds the
median in seconds and the quartiles, and the FLOPs of the work. `image size`, `batch` and `parameters` are training
steps; `T` is a whole walk of the DDPM sampler with four images.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import machine
from benchmarks.networks import SIZES, forward_flops, ours, parameters
from benchmarks.rows import Row, write
from benchmarks.timing import digits, interleave, spread
from ddpm_lib.data import ASSETS, Batches, ImageData
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, TrainConfig, train

RESULT = ASSETS / "measured" / "growth.json"
MIDDLE, SIDE, BATCH, WALKERS = "1 M", 28, 64, 4
CURVES: dict[str, tuple[Any, ...]] = {
    "image size": (16, 32, 64, 128),
    "batch": (1, 4, 16, 64, 128),
    "parameters": tuple(SIZES),
    "T": (25, 50, 100, 200),
}
SMALL_BATCH = 8  # for the curve of image sizes, where the largest has 21 times the pixels


def training(size: str, side: int, batch: int, device: str) -> Callable[[], object]:
    """A function that does one training step, a single one a call."""
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (2 * batch, 1, side, side), dtype=torch.uint8, device=device)
    config = TrainConfig(steps=10**9, batch=batch, every=1)
    batches = Batches(ImageData(pixels, None, "noise"), batch)
    network, diffusion = ours(SIZES[size]).to(device), GaussianDiffusion(linear_schedule(500))
    return partial(next, train(network, diffusion, batches, config, machine=Machine(channels_last=True)))


def walk(T: int, device: str) -> Callable[[], object]:
    """A function that draws a few images in T steps."""
    network = ours(SIZES[MIDDLE]).to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    diffusion = GaussianDiffusion(linear_schedule(T))
    return lambda: last(sample(network, diffusion, (1, SIDE, SIDE), seeds=range(WALKERS), device=device))


def point(axis: str, value: Any, device: str) -> tuple[Callable[[], object], Row]:
    """What to time for one point of a curve, and what is known of it beforehand."""
    size = value if axis == "parameters" else MIDDLE
    side = value if axis == "image size" else SIDE
    images = {"image size": SMALL_BATCH, "batch": value, "parameters": BATCH, "T": WALKERS}[axis]
    passes = value if axis == "T" else 3  # a training step is worth three passes forward
    network = ours(SIZES[size])
    row = {
        "value": parameters(network) if axis == "parameters" else value,
        "images": images,
        "flops": passes * images * forward_flops(network, side),
    }
    return walk(value, device) if axis == "T" else training(size, side, images, device), row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the two cheapest points of a curve, one round")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()

    torch.set_num_threads(1)
    rows = []
    for axis, values in CURVES.items():
        chosen = values[:2] if args.quick else values
        points = {str(value): point(axis, value, args.device) for value in chosen}
        arms = {name: arm for name, (arm, _) in points.items()}
        for name, times in interleave(arms, 1 if args.quick else args.rounds).items():
            middle, low, high = map(digits, spread(times))
            rows.append({"axis": axis, **points[name][1], "seconds": middle, "spread": [low, high]})
            print(rows[-1], flush=True)
    what = "seconds of a training step (T: of a whole walk) as one thing grows"
    on = args.device if args.device == "cpu" else torch.cuda.get_device_name()
    write(args.out, {"what": what, "device": on, "threads": 1, "machine": machine(), "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
