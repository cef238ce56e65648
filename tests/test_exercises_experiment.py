"""The graders of the chapter on the experiment: the right answer passes, and each mistake is named."""

from collections.abc import Callable

import pytest
from torch import Tensor

from ddpm_lib import exercises, weights
from ddpm_lib.data import Batches, mnist
from ddpm_lib.presets import PRESETS
from tests.graders import assert_each_mistake_is_told_apart


def steps() -> int:
    """Until the tenth round is over, by the batches themselves."""
    batches = Batches(mnist(), PRESETS["classic-unet"].train.batch)
    return 10 * batches.an_epoch


def race(a: Tensor, b: Tensor, distance: Callable[[Tensor], Tensor]) -> Tensor:
    count = len(a) if len(a) < len(b) else len(b)
    return distance(a.narrow(0, 0, count)) - distance(b.narrow(0, 0, count))


def excess() -> float:
    cards = [weights.card(name) for name in ("unet", "resnet")]
    above = [float(c["Frechet distance"]) - float(c["of real training digits"]) for c in cards]
    return above[0] / above[1]


RIGHT: dict[str, object] = {
    "check_epoch_steps": steps(),
    "check_training_cost": lambda forward, pictures: (forward + 2 * forward) * pictures,
    "check_seconds": lambda cost, peak, share: cost / peak / share,
    "check_race": race,
    "check_excess": excess(),
}
VALUES = {"check_epoch_steps", "check_excess"}

WRONG: list[tuple[str, object, str]] = [
    ("check_epoch_steps", 9375, "no multiple of 64"),
    ("check_training_cost", lambda forward, pictures: forward * pictures, "forward alone"),
    ("check_seconds", lambda cost, peak, share: share * cost / peak, "divide by it"),
    ("check_race", lambda a, b, distance: distance(a) - distance(b), "different numbers"),
    ("check_excess", 1 / excess(), "other way round"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_passes(name: str) -> None:
    verdict = getattr(exercises, name)(RIGHT[name])
    assert verdict, verdict


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_a_mistake_is_named(name: str, answer: object, words: str) -> None:
    verdict = getattr(exercises, name)(answer)
    assert not verdict
    assert words in verdict.message


@pytest.mark.parametrize("name", RIGHT)
def test_every_mistake_that_a_grader_knows_gets_its_own_message(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_each_mistake_is_told_apart(name, RIGHT[name], monkeypatch)


@pytest.mark.parametrize("name", sorted(set(RIGHT) - VALUES))
def test_an_attempt_with_dots_is_open_and_not_wrong(name: str) -> None:
    assert "no answer yet" in getattr(exercises, name)(lambda *_: ...).message


@pytest.mark.parametrize("name", sorted(VALUES))
def test_an_open_answer_is_not_marked_wrong(name: str) -> None:
    assert "no answer yet" in getattr(exercises, name)(...).message
