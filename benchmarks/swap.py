"""Two networks share one walk: which of them draws above a time, and which below, decides what comes out.

    OMP_NUM_THREADS=1 python -m benchmarks.swap

The time-conditioned ResNet and the small U-Net of the ladder (`timed-resnet` and `unet-small`) were trained alike, so
that one can take over from the other at any t. Each arm draws by DDIM; `distance` is `metrics.digit_distance` to the
10,000 test digits. The chapter on the experiment reads the result: ddpm_lib/assets/measured/swap.json, and swap.png
with 32 digits of every arm.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import ddpm_lib
from benchmarks.arms import Key, Row, distance, run
from ddpm_lib.data import ASSETS
from ddpm_lib.denoiser import Denoiser, Labels, Predicts
from ddpm_lib.evaluate.generate import generate

RESULT = ASSETS / "measured" / "swap.json"
NAMES = ("timed-resnet", "unet-small")
TIMES = (75, 150, 225, 300, 400)
SHOWN = 32


@dataclass(frozen=True)
class Swap:
    """The denoiser `above` at t > time, `below` at the others; all images of a batch are at one time."""

    above: Denoiser
    below: Denoiser
    time: int

    @property
    def predicts(self) -> Predicts:
        """Both predict the noise."""
        return "eps"

    def __call__(self, xt: Tensor, t: Tensor, y: Labels | None = None) -> Tensor:
        """The answer of the one whose time it is."""
        return (self.above if int(t[0]) > self.time else self.below)(xt, t, y)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--times", type=int, nargs="+", default=TIMES, help=f"t of the swap (default: {TIMES})"
    )
    parser.add_argument("--samples", type=int, default=1024, help="digits drawn an arm (default: 1024)")
    parser.add_argument("--ddim", type=int, default=50, help="steps that they are drawn in (default: 50)")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    trained = {name: ddpm_lib.load(name) for name in NAMES}
    networks = {name: each.network() for name, each in trained.items()}
    diffusion = trained[NAMES[0]].diffusion
    assert torch.equal(diffusion.schedule.alpha_bar, trained[NAMES[1]].schedule.alpha_bar)

    def measure(key: Key) -> tuple[Row, Tensor]:
        denoiser = Swap(networks[key["above"]], networks[key["below"]], key["t"])
        seeds = range(args.samples)
        x = torch.cat(list(generate(denoiser, diffusion, (1, 28, 28), seeds, steps=args.ddim)))
        return {"distance": distance(x)}, x

    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "samples": args.samples,
        "ddim": args.ddim,
    }
    keys = [
        {"t": t, "above": above, "below": below}
        for i, t in enumerate(args.times)
        for above in NAMES
        for below in NAMES
        if i == 0 or above != below  # alone, each draws the same whatever t is
    ]
    return int(not run(args.out, head, keys, measure, SHOWN))


if __name__ == "__main__":
    sys.exit(main())
