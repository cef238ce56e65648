"""Which digits make the variety within a class larger than that of real digits, and what guidance does to the others.

    OMP_NUM_THREADS=1 python -m benchmarks.guidance_certain

The digits of benchmarks/guidance.py at w = 0 and 0.25, drawn again from the same seeds. Those of w = 0 are sorted by
the digit classifier: `named` are named as asked, `certain` have more than 0.7 for the class that was asked for. At 0.25
the same walks are looked at. Each group has its share and its `spread` within the classes, in units of that of all test
digits; `repaired` is the share of the other walks that are certain now, `lost` that of the certain ones that no longer
are. Test digits are sorted in the same way. Written to ddpm_lib/assets/measured/guidance-certain.json, which the
chapter on guidance reads.
"""

from __future__ import annotations

import argparse
import sys

import torch
from torch import Tensor

from benchmarks.guidance import RESULTS, WEIGHTS, draw, within
from benchmarks.machine import machine
from benchmarks.rows import Row, fill
from ddpm_lib.data import mnist
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches

SAMPLES, STEPS, CERTAIN = 1024, 12, 0.7


def sorted_out(x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The features of pictures, whether each is named as asked, and whether certainly."""
    reader = digit_classifier()
    p = in_batches(reader, x).softmax(1)
    return in_batches(reader.features, x), p.argmax(1) == labels, p[torch.arange(len(x)), labels] > CERTAIN


def share(of: Tensor) -> float:
    return round(float(of.double().mean()), 4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=3, help="sets of seeds (default: 3)")
    args = parser.parse_args()

    test, train = mnist(train=False), mnist()
    assert test.y is not None
    assert train.y is not None
    labels = train.y[:SAMPLES]
    features, named, certain = sorted_out(test.x0(), test.y)
    whole = within(features, test.y)

    def groups(features: Tensor, y: Tensor, named: Tensor, certain: Tensor) -> Row:
        parts = {"named": named, "certain": certain}
        return {
            "spread": round(within(features, y) / whole, 3),
            **{name: share(mine) for name, mine in parts.items()},
            **{f"spread {name}": round(within(features[m], y[m]) / whole, 3) for name, m in parts.items()},
        }

    head = {
        "what": f"{SAMPLES} digits at two w, sorted by how certain the course's digit classifier is at w = 0",
        "weights": WEIGHTS,
        "samples": SAMPLES,
        "steps": STEPS,
        "certain above": CERTAIN,
        "real digits": groups(features, test.y, named, certain),
        "machine": {**machine(), "threads": torch.get_num_threads()},
    }
    at_zero: dict[int, tuple[Tensor, Tensor]] = {}

    def measure(key: Row) -> Row:
        x = draw({"how": "", **key}, labels, STEPS)
        features, named, certain = sorted_out(x, labels)
        if not key["w"]:
            at_zero[key["seed"]] = named, certain
            return groups(features, labels, named, certain)
        before = at_zero[key["seed"]]
        return {
            **groups(features, labels, *before),
            "repaired": share(certain[~before[1]]),
            "lost": share(~certain[before[1]]),
        }

    keys = [{"seed": seed, "w": w} for seed in range(args.seeds) for w in (0.0, 0.25)]
    fill(RESULTS / "guidance-certain.json", head, keys, measure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
