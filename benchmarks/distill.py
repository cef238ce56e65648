"""Few steps: three ways to distill cpu-hour, at equal cost, against its own samplers at few calls.

    OMP_NUM_THREADS=1 python -m benchmarks.distill --save runs/distill

The teacher is `cpu-hour` guided with w = 0.5; without guidance it is measured as well. A student begins
as a copy of it and is taught with a budget in *passes* of 64 images through the network: a call is one, a call with
guidance two, a step of training three. The three methods are in benchmarks/students.py.

A row has the Frechet distance of the digits to the test set, the share that is named as asked, and what may be lost:
the mean distance of two digits of a class in the classifier's features, in units of that of the test set; the share of
the test set that lies among the drawn digits (recall); the share of gray pixels; the distance to the nearest training
digit, in units of the test set's. The chapter "Few steps" reads the result, ddpm_lib/assets/measured/distill.json. It
is written after every arm, beside a .png of digits, and a further run measures only what is missing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor

from benchmarks.arms import Key, Row, run
from benchmarks.memorize import nearest
from benchmarks.students import ARMS, BATCH, DIFFUSION, SHAPE, TRAINED, W, teacher
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.denoiser import Denoiser
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.floor import real_floor, real_sets
from ddpm_lib.evaluate.generate import class_labels, generate
from ddpm_lib.evaluate.metrics import digit_classes, frechet_distance, recall, spread_within
from ddpm_lib.flow import DPMSolver2M, heun_step
from ddpm_lib.models import Network
from ddpm_lib.models.trained import export_weights
from ddpm_lib.sampling import Step, ddim_step, ddpm_step

RESULT = ASSETS / "measured" / "distill.json"
SHOWN = 40
SAMPLERS: dict[str, Callable[[], Step]] = {
    "ddim": lambda: ddim_step,
    "ddpm": lambda: ddpm_step,
    "dpm-solver++(2m)": DPMSolver2M,
    "heun": lambda: heun_step,
}
# of the teacher; 2 and 4 steps of Heun's are 3 and 7 calls
STEPS = {"ddim": (1, 2, 4, 8), "dpm-solver++(2m)": (4, 8), "ddpm": (2, 4, 8), "heun": (2, 4)}
PLAIN = (2, 4, 8, 16, 50)  # steps of DDIM of the teacher without guidance, each one pass


class Judge:
    """What is measured of drawn digits."""

    def __init__(self, n: int) -> None:
        test = mnist(train=False)
        self.n, self.y = n, class_labels(n, 10)
        assert test.y is not None
        self.features = self.of(test.x0())
        self.spread = spread_within(self.features, test.y)
        self.near = float(nearest(test.x0(slice(0, n)), self.known())[0][:, 0].median())

    def of(self, x: Tensor) -> Tensor:
        """The classifier's features."""
        return in_batches(digit_classifier().features, x)

    @staticmethod
    @lru_cache(maxsize=1)
    def known() -> Tensor:
        """The training digits."""
        return mnist().x0()

    def __call__(self, x: Tensor) -> Row:
        assert self.y is not None
        features = self.of(x)
        return {
            "distance": round(frechet_distance(features, self.features), 2),
            "named": round(digit_classes(x, self.y).agreement or 0.0, 4),
            "spread": round(spread_within(features, self.y) / self.spread, 3),
            "recall": round(recall(self.features[: self.n], features), 3),
            "gray": round(float((x.abs() < 0.5).float().mean()), 4),
            "near": round(float(nearest(x, self.known())[0][:, 0].median()) / self.near, 3),
        }


def drawn(denoiser: Denoiser, n: int, sampler: str, steps: int) -> Tensor:
    """n digits, the classes in turn; seeds that no training has seen."""
    return torch.cat(
        [
            *(
                next(
                    generate(
                        denoiser,
                        DIFFUSION,
                        SHAPE,
                        range(at, at + BATCH),
                        y=torch.arange(at, at + BATCH) % 10,
                        step=SAMPLERS[sampler](),
                        steps=steps,
                    )
                )
                for at in range(0, n, BATCH)
            )
        ]
    )[:n]


def measure(judge: Judge, save: Path | None, key: Key) -> tuple[Row, Tensor]:
    """One arm: the teacher by one sampler, guided or not, or a student in 1, 2 and 4 calls by DDIM and by DDPM."""
    if key["arm"] in ("teacher", "unguided"):
        denoiser = teacher() if key["arm"] == "teacher" else TRAINED.network()
        x = drawn(denoiser, judge.n, key["sampler"], key["steps"])
        return judge(x), x[:SHOWN]
    begun = time.perf_counter()
    students, steps = ARMS[key["arm"]](key["passes"], key["seed"])
    seconds = time.perf_counter() - begun
    if save is not None:
        for n, student in students.items():
            keep(
                save / f"{key['arm']}-{n}-{key['passes']}-{key['seed']}.safetensors",
                student,
                key,
                steps,
                seconds,
            )
    row: Row = {"steps": steps, "seconds": round(seconds, 1)}
    pictures = []
    for name, n in [("ddim", 1), ("ddim", 2), ("ddim", 4), ("ddpm", 2), ("ddpm", 4)]:
        x = drawn(students[n], judge.n, name, n)
        row.setdefault(name, {})[str(n)] = judge(x)
        pictures.append(x[:10])
    return row, torch.cat([*pictures[:3], pictures[-1]])


def keep(path: Path, student: Network, key: Key, steps: int, seconds: float) -> None:
    """The student for one call, as weights of the package."""
    tensors = {f"ema.{name}": t.contiguous() for name, t in student.state_dict().items()}
    training = {"teacher": "cpu-hour", "guidance": W, **key}
    kept = replace(TRAINED, tensors=tensors, training=training, step=steps, seconds=seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    export_weights(path, kept)


def arms(passes: int, long: int, seeds: Sequence[int]) -> list[Key]:
    """Everything that is measured, in order: the methods at one cost, the teacher, and the chosen one for longer."""
    keys: list[Key] = [{"arm": arm, "seed": seed, "passes": passes} for seed in seeds for arm in ARMS]
    own = [{"arm": "teacher", "sampler": name, "steps": n} for name, counts in STEPS.items() for n in counts]
    own.append({"arm": "teacher", "sampler": "ddim", "steps": 25})
    longer = [{"arm": "ends", "seed": seed, "passes": long} for seed in seeds if long]
    plain: list[Key] = [{"arm": "unguided", "sampler": "ddim", "steps": n} for n in PLAIN]
    return [*keys[:1], *own, *keys[1:], *longer, *plain]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--passes", type=int, default=700, help="the budget of an arm (default: 700)")
    parser.add_argument(
        "--long",
        type=int,
        default=2800,
        help="a longer budget for the chosen method, 0 for none (default: 2800)",
    )
    parser.add_argument("--seeds", type=int, default=3, help="students of each kind (default: 3)")
    parser.add_argument("--samples", type=int, default=384, help="digits a point (default: 384)")
    parser.add_argument("--only", nargs="+", help="arms to measure now (default: all)")
    parser.add_argument("--save", type=Path, help="a folder for the students' weights")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()
    head = {
        "what": f"{args.samples} digits of cpu-hour (w = 0.5) and of its students against calls of the network",
        "samples": args.samples,
        "floor": floor(args.samples),
    }
    keys = arms(args.passes, args.long, range(args.seeds))
    keys = [key for key in keys if not args.only or key["arm"] in args.only]
    run(args.out, head, keys, partial(measure, Judge(args.samples), args.save), SHOWN)
    return 0


def floor(n: int) -> Row:
    """What n real training digits give, the classes in turn as in what is drawn: the mean over sets."""
    train, test = mnist(), mnist(train=False)
    assert train.y is not None
    labels, features = class_labels(n, 10), digit_classifier().features
    found = real_floor(n, labels)
    real = in_batches(features, test.x0(slice(0, n)))
    sets = real_sets(train.y, n, labels)
    recalls = [recall(real, in_batches(features, train.x0(places))) for places in sets]
    return {"distance": round(found.mean, 2), "recall": round(mean(recalls), 3), "draws": found.sets}


if __name__ == "__main__":
    raise SystemExit(main())
