"""How many steps can be skipped: Frechet distance of drawn digits against the number of network passes.

    OMP_NUM_THREADS=1 python -m benchmarks.steps

The shipped network `cpu-minutes` draws digits in 5 to 500 steps with three samplers: DDPM with either of its two
variances, and DDIM with eta = 0; and in 50 steps with fresh noise in one half of the walk only. Points of one `seed`
have the same x_T and the same labels. The distance is `metrics.digit_distance` to the 10,000 test digits; its floor
is that of real training digits, in sets as large as the drawn ones. The chapter on sampling reads the result, so it
is part of the package: ddpm_lib/assets/measured/steps.json. It is written after every point, and a further run
measures only what is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import machine
from ddpm_lib import load
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.floor import real_floor
from ddpm_lib.evaluate.generate import generate, sampler
from ddpm_lib.evaluate.metrics import digit_classes, frechet_distance
from ddpm_lib.sampling import DDIM, Step

RESULT = ASSETS / "measured" / "steps.json"
WEIGHTS = "cpu-minutes"
SAMPLERS = ("ddpm", "ddpm-beta", "ddim")  # as ddpm_lib.evaluate.generate.sampler knows them
HALVES = ("ddim, noise above T/2", "ddim, noise below T/2")
STEPS = (5, 10, 20, 50, 100, 250, 500)
REPEATED = 50  # points of up to so many steps are drawn from two seeds
FLOOR_SETS = 20  # sets of real digits that the floor is averaged over


def rule(name: str) -> Step:
    """The step of that name; those of HALVES draw fresh noise (eta = 1) in one half of the walk."""
    if name not in HALVES:
        return sampler(name)
    above = name == HALVES[0]

    def step(
        diffusion: Any, xt: Tensor, t: Any, s: Any, x0_hat: Tensor, eps_hat: Tensor, z: Tensor, *_: object
    ) -> Tensor:
        eta = float((t > diffusion.T // 2) == above)
        return DDIM(eta)(diffusion, xt, t, s, x0_hat, eps_hat, z)

    return step


def first_labels(n: int) -> Tensor:
    """The classes of the first n training digits, so that they are as frequent as in real digits."""
    labels = mnist(train=True).y
    assert labels is not None
    return labels[:n]


def floor(labels: Tensor) -> dict[str, float | int]:
    """Distance of real training digits of those classes from the test set."""
    least = real_floor(len(labels), labels, FLOOR_SETS)
    return {"mean": round(least.mean, 4), "spread": round(least.spread, 4), "sets": least.sets}


def point(reference: Tensor, name: str, steps: int, n: int, seed: int) -> dict[str, Any]:
    """Draw `n` digits and measure them: one point of one curve."""
    checkpoint = load(WEIGHTS)
    network = checkpoint.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    labels = first_labels(n)
    begun = time.perf_counter()
    parts = generate(
        network,
        checkpoint.diffusion,
        checkpoint.about.shape,
        range(seed, seed + n),
        y=labels,
        step=rule(name),
        steps=steps,
    )
    x = torch.cat(list(parts))
    seconds = time.perf_counter() - begun
    features = in_batches(digit_classifier().features, x)
    return {
        "sampler": name,
        "steps": steps,
        "seed": seed,
        "distance": round(frechet_distance(features, reference), 4),
        "agreement": round(digit_classes(x, labels).agreement or 0.0, 4),
        "seconds": round(seconds, 1),
    }


def plan(n: int) -> list[tuple[str, int, int]]:
    """(sampler, steps, first seed) of every point, the quick ones first."""
    points = [(name, steps, 0) for steps in STEPS if steps <= REPEATED for name in SAMPLERS]
    points += [(name, REPEATED, 0) for name in HALVES]
    points += [(name, steps, n) for name, steps, _ in points]
    return points + [(name, steps, 0) for steps in STEPS if steps > REPEATED for name in SAMPLERS]


def write(path: Path, result: dict[str, Any]) -> None:
    """As JSON, a line a point."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in result["points"])
    head = json.dumps({**result, "points": None}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head.replace('"points": null', f'"points": [\n{rows}\n ]') + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=1024, help="digits a point (default: 1024)")
    parser.add_argument("--minutes", type=float, default=90.0, help="start no point that may end later")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()

    begun = time.perf_counter()
    reference = in_batches(digit_classifier().features, mnist(train=False).x0())
    result: dict[str, Any] = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "weights": WEIGHTS,
        "samples": args.samples,
        "machine": {**machine(), "threads": torch.get_num_threads()},
        "floor": floor(first_labels(args.samples)),
        "points": [],
    }
    if args.out.is_file():
        before = json.loads(args.out.read_text(encoding="utf-8"))
        if all(before[key] == result[key] for key in ("weights", "samples")):
            result["points"] = before["points"]
    done = {(row["sampler"], row["steps"], row["seed"]) for row in result["points"]}
    write(args.out, result)
    per_step = 0.0
    for name, steps, seed in plan(args.samples):
        spent = time.perf_counter() - begun
        if (name, steps, seed) in done or spent + per_step * steps > 60 * args.minutes:
            continue
        row = point(reference, name, steps, args.samples, seed)
        per_step = row["seconds"] / steps
        result["points"].append(row)
        write(args.out, result)
        print(f"{name:<22}{steps:5}{seed:6}{row['distance']:10.3f}{row['seconds']:9.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
