"""What guidance buys and what it costs: distance, agreement and variety of drawn digits against w.

    OMP_NUM_THREADS=1 python -m benchmarks.guidance

The shipped network `cpu-minutes` draws digits with DDIM, with three sets of seeds an arm: for several w; with guidance
in one third of the walk only; without a class; and without clipping. Arms of one `seed` have the same x_T and labels.
`distance` is `metrics.frechet_distance` to the 10,000 test digits on the digit classifier's features,
`agreement` the share of digits that the classifier names as asked, `spread` the variance of the features within the
wanted class, in units of that of the test digits, and `ink` the mean grey, from 0 to 1. The chapter on guidance reads
the result, so it is part of the package: ddpm_lib/assets/measured/guidance.json. The file is written after every arm,
and a second run measures only what is missing. `--weights cpu-hour --seeds 1` measures a better network, for the
first five w and nothing else, and writes guidance-cpu-hour.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.arms import Key, Row, run
from benchmarks.steps import floor
from ddpm_lib import load
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.generate import last, with_guidance
from ddpm_lib.evaluate.metrics import digit_classes, frechet_distance
from ddpm_lib.sampling import ddim_step, sample

RESULTS = ASSETS / "measured"
WEIGHTS, BATCH = "cpu-minutes", 64
STRENGTHS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # w
PARTS = {"first third": (333, 500), "middle third": (167, 333), "last third": (0, 167)}  # low < t <= high
SHOWN = 10  # images of each arm in guidance.png


def plan(seeds: int, weights: str = WEIGHTS) -> list[Key]:
    """Every arm: `how` says what is unusual about it."""
    arms: list[Key] = [{"how": "", "w": w} for w in STRENGTHS]
    if weights != WEIGHTS:
        return [{"seed": seed, **arm} for seed in range(seeds) for arm in arms[:5]]
    arms += [{"how": part, "w": 2.0} for part in PARTS]
    arms += [{"how": "no class", "w": 0.0}, {"how": "not clipped", "w": 8.0}]
    return [{"seed": seed, **arm} for seed in range(seeds) for arm in arms]


def draw(key: Key, labels: Tensor, steps: int, weights: str = WEIGHTS) -> Tensor:
    """One digit for each label, as the arm says."""
    checkpoint = load(weights)
    network = checkpoint.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    guided = with_guidance(network, key["w"], PARTS.get(key["how"]))
    seeds = range(key["seed"] * len(labels), (key["seed"] + 1) * len(labels))
    parts = []
    for i in range(0, len(labels), BATCH):
        states = sample(
            guided,
            checkpoint.diffusion,
            checkpoint.about.shape,
            seeds=seeds[i : i + BATCH],
            y=None if key["how"] == "no class" else labels[i : i + BATCH],
            step=ddim_step,
            steps=steps,
            clip=key["how"] != "not clipped",
        )
        parts.append(last(states).xt.clamp(-1, 1))
    return torch.cat(parts)


def within(features: Tensor, labels: Tensor) -> float:
    """The variance of the features about the mean of their class, summed over features, averaged over pictures."""
    total = 0.0
    for k in range(10):
        mine = features[labels == k].double()
        total += float(mine.var(0).sum()) * len(mine)
    return total / len(labels)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=1024, help="digits an arm (default: 1024)")
    parser.add_argument("--steps", type=int, default=12, help="strides of DDIM (default: 12)")
    parser.add_argument("--seeds", type=int, default=3, help="sets of seeds (default: 3)")
    parser.add_argument("--weights", default=WEIGHTS, help=f"a shipped network (default: {WEIGHTS})")
    parser.add_argument("--out", type=Path, help="the JSON file (default: in the package)")
    args = parser.parse_args()
    name = "guidance" if args.weights == WEIGHTS else f"guidance-{args.weights}"
    out = args.out or RESULTS / f"{name}.json"

    features, test, train = digit_classifier().features, mnist(train=False), mnist()
    assert test.y is not None
    assert train.y is not None
    reference = in_batches(features, test.x0())
    labels = train.y[: args.samples]  # so that the classes are as frequent as in real digits
    real = within(reference, test.y)

    def measure(key: Key) -> tuple[Row, Tensor]:
        x = draw(key, labels, args.steps, args.weights)
        seen, classes = in_batches(features, x), digit_classes(x, labels)
        row: dict[str, Any] = {
            "distance": round(frechet_distance(seen, reference), 2),
            "agreement": round(classes.agreement or 0.0, 4),
            "confidence": round(classes.confidence, 4),
            "spread": round(within(seen, labels) / real, 3),
            "ink": round(float((x.mean() + 1) / 2), 4),
        }
        return row, x

    head = {
        "what": f"{args.samples} digits against w, by the course's digit classifier",
        "weights": args.weights,
        "samples": args.samples,
        "steps": args.steps,
        "floor": floor(labels),
        "ink of real digits": round(float((test.x0().mean() + 1) / 2), 4),
    }
    run(out, head, plan(args.seeds, args.weights), measure, SHOWN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
