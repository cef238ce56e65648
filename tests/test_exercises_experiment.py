"""The graders of the chapter on the experiment: the right answer passes, and each mistake is named."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ddpm_lib import exercises
from ddpm_lib.assets.measured import measured
from ddpm_lib.data import Batches, mnist
from ddpm_lib.train.presets import PRESETS
from tests.graders import grader_tests


def steps() -> int:
    """Until the tenth round is over, by the batches themselves."""
    batches = Batches(mnist(), PRESETS["classic-unet"].train.batch)
    return 10 * batches.an_epoch


def race(a: Tensor, b: Tensor, distance: Callable[[Tensor], Tensor]) -> Tensor:
    count = len(a) if len(a) < len(b) else len(b)
    return distance(a.narrow(0, 0, count)) - distance(b.narrow(0, 0, count))


def excess() -> float:
    rows = {row["rung"]: row["distance"] for row in measured("ladder")["rows"]}
    above = [rows[name] - rows["real digits"] for name in ("classic-unet", "classic-small")]
    return float(above[0] / above[1])


RIGHT: dict[str, object] = {
    "check_epoch_steps": steps(),
    "check_training_cost": lambda forward, pictures: (forward + 2 * forward) * pictures,
    "check_seconds": lambda cost, peak, share: cost / peak / share,
    "check_race": race,
    "check_excess": excess(),
    "check_widest_gap": 200,
}
VALUES = {"check_epoch_steps", "check_excess", "check_widest_gap"}

WRONG: list[tuple[str, object, str]] = [
    ("check_epoch_steps", 9375, "no multiple of 64"),
    ("check_training_cost", lambda forward, pictures: forward * pictures, "forward pass alone"),
    ("check_seconds", lambda cost, peak, share: share * cost / peak, "divide by it"),
    ("check_race", lambda a, b, distance: distance(a) - distance(b), "different numbers"),
    ("check_excess", 1 / excess(), "other way round"),
    ("check_widest_gap", 5, "turn the ratio round"),
    ("check_widest_gap", 500, "less than at another t"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)


@pytest.mark.parametrize("which", ["last", "random", "chunks"])
def test_any_equal_number_of_drawings_is_fair(which: str) -> None:
    def fair(a: Tensor, b: Tensor, distance: Callable[[Tensor], Tensor]) -> Tensor:
        n = min(len(a), len(b))

        def of(x: Tensor) -> Tensor:
            if which == "chunks":
                return torch.stack([distance(chunk) for chunk in x.split(n)]).mean()
            return distance(x[-n:] if which == "last" else x[torch.randperm(len(x))[:n]])

        return of(a) - of(b)

    assert exercises.check_race(fair)
