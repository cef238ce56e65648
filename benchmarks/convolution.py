"""Where the time of a 3 x 3 convolution by Winograd's algorithm goes, beside the direct convolution.

    OMP_NUM_THREADS=1 python -m benchmarks.convolution

Forward passes of a layer on 28 x 28 pixels, float32, the channels last, 16 images. A row has a number of feature maps,
in and out, and milliseconds, medians of 21 rounds in turn: the direct convolution, the library's own by Winograd's
algorithm, and the same work step by step, which must give the same output. `copies` are tiles cut out and put together.
The chapter "Engineering notes" reads the result: ddpm_lib/assets/measured/convolution.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.rows import Row, fill
from benchmarks.timing import Arm, digits, interleave, spread
from ddpm_lib.data import ASSETS
from ddpm_lib.models import winograd
from ddpm_lib.models.winograd import IN, OUT

RESULT = ASSETS / "measured" / "convolution.json"
WIDTHS = (48, 96, 192, 384)
IMAGES, SIDE, ROUNDS = 16, 28, 21


class Parts:
    """The forward pass of winograd_conv3x3, a part at a time, with the seconds of each; see _Winograd there."""

    def __init__(self, x: Tensor, weight: Tensor, bias: Tensor) -> None:
        self.x, self.weight, self.bias = x, weight, bias
        self.spent: dict[str, list[float]] = {}

    def __call__(self) -> Tensor:
        """The output, once."""
        tiles = winograd._Tiles(self.x, self.weight)
        total = dict.fromkeys(("filters", "input", "products", "output", "copies"), 0.0)

        since = time.perf_counter()

        def lap(part: str) -> None:
            nonlocal since
            now = time.perf_counter()
            total[part] += now - since
            since = now

        u = tiles.of_filter(self.weight)
        lap("filters")
        out = self.x.new_empty(len(self.x), tiles.rows * OUT, tiles.columns * OUT, len(self.weight))
        for some in tiles.few_images():
            x, c = self.x[some], self.x.shape[1]
            padded = tiles.padded(x, len(x), c)
            padded[:, 1 : tiles.h + 1, 1 : tiles.w + 1] = x.permute(0, 2, 3, 1)
            columns = tiles.overlapping(padded).reshape(IN * IN, -1)
            lap("copies")
            v = (tiles.input @ columns).view(IN * IN, -1, c)
            lap("input")
            m = torch.bmm(v, u).flatten(1)
            lap("products")
            small = tiles.output @ m
            lap("output")
            y = tiles.split(out[some])
            y.copy_(small.view_as(y)).add_(self.bias)
            lap("copies")
        whole = out[:, : tiles.h, : tiles.w].contiguous().permute(0, 3, 1, 2)
        lap("copies")
        for part, seconds in total.items():
            self.spent.setdefault(part, []).append(seconds)
        return whole


def measure(key: Row, rounds: int) -> Row:
    """The milliseconds of one layer."""
    torch.manual_seed(0)
    maps = key["maps"]
    x = torch.randn(IMAGES, maps, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.randn(maps, maps, 3, 3), torch.randn(maps)
    parts = Parts(x, weight, bias)
    arms: dict[str, Arm] = {
        "direct": partial(F.conv2d, x, weight, bias, padding=1),
        "winograd": partial(winograd.winograd_conv3x3, x, weight, bias),
        "parts": parts,
    }
    if not torch.equal(parts(), winograd.winograd_conv3x3(x, weight, bias)):
        raise SystemExit("The parts do not give what winograd_conv3x3 gives.")
    parts.spent.clear()
    with torch.inference_mode():
        times = interleave(arms, rounds, warm_up=0)
    found = {**{name: times[name] for name in ("direct", "winograd")}, **parts.spent}
    return {"unit": "ms", **{name: digits(1000 * spread(values)[0]) for name, values in found.items()}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"(default: {ROUNDS})")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()
    torch.set_num_threads(1)
    head = {"what": "milliseconds of a 3 x 3 convolution, by part", "images": IMAGES, "machine": machine()}
    fill(args.out, head, [{"maps": maps} for maps in WIDTHS], partial(measure, rounds=args.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
