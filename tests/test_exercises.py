"""Every grader passes the right answer, names each mistake, and is clear about what is no answer at all."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from ddpm_lib import exercises
from ddpm_lib.exercises import Verdict
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.graders import assert_each_mistake_is_told_apart

Grader = Callable[[object], Verdict]
ab100 = float(linear_schedule(500).alpha_bar[100])


def q_sample(x0: torch.Tensor, t: torch.Tensor, eps: torch.Tensor, alpha_bar: torch.Tensor) -> torch.Tensor:
    ab = alpha_bar[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x0 + (1 - ab).sqrt() * eps


def two_steps(b1: float, b2: float) -> tuple[float, float]:
    return math.sqrt((1 - b1) * (1 - b2)), b1 * (1 - b2) + b2


RIGHT: dict[str, object] = {
    "check_reparameterize": lambda mu, variance, eps: mu + variance**0.5 * eps,
    "check_sum_of_gaussians": lambda a, b: (a * a + b * b) ** 0.5,
    "check_diffusers_index": lambda t: t - 1,
    "check_pixel": (0.8 * ab100**0.5, (1 - ab100) ** 0.5),
    "check_two_steps": two_steps,
    "check_one_step": lambda x, b, eps: (1 - b) ** 0.5 * x + b**0.5 * eps,
    "check_q_sample": q_sample,
    "check_cosine_beta": lambda T: cosine_schedule(T).beta,
    "check_correlation": lambda s, t: (t / (1 - t) * (1 - s) / s) ** 0.5,
    "check_smallest_T": 911,
    "check_shift": lambda ab, d: ((ab / (1 - ab)).log() - 2 * math.log(d)).sigmoid(),
}
GRADERS = list(RIGHT)  # those of the later chapters stand in test_exercises_*.py
FUNCTIONS = [name for name in GRADERS if callable(RIGHT[name])]

# Wrong answers written as a reader would, apart from the graders' own, and a piece of what must be said.
WRONG: list[tuple[str, object, str]] = [
    ("check_reparameterize", lambda mu, variance, eps: mu + variance * eps, "by the variance"),
    ("check_sum_of_gaussians", lambda a, b: a + b, "added the standard deviations"),
    ("check_sum_of_gaussians", lambda a, b: a * a + b * b, "That is the variance"),
    ("check_diffusers_index", lambda t: t, "no entry for the clean image"),
    ("check_pixel", (0.8 * ab100**0.5, 1 - ab100), "Your second number is the variance"),
    ("check_pixel", (0.8 * ab100, (1 - ab100) ** 0.5), "You weighted the pixel by alpha_bar"),
    (
        "check_two_steps",
        lambda b1, b2: (((1 - b1) * (1 - b2)) ** 0.5, b1 + b2),
        "also shrinks the first one's noise",
    ),
    ("check_one_step", lambda x, b, eps: (1 - b) ** 0.5 * x + b * eps, "its noise is too small"),
    ("check_one_step", lambda x, b, eps: x + b**0.5 * eps, "You did not shrink the image"),
    ("check_q_sample", lambda x0, t, eps, ab: q_sample(x0, t - 1, eps, ab), "You read alpha_bar[t - 1]"),
    (
        "check_q_sample",
        lambda x0, t, eps, ab: q_sample(x0, t, eps, ab**2),
        "is the square of what it should be",
    ),
    ("check_correlation", lambda s, t: (t / s) ** 0.5 * (1 - s), "That is the covariance"),
    ("check_shift", lambda ab, d: (ab.logit() - math.log(d)).sigmoid(), "You divided the SNR by d."),
    ("check_shift", lambda ab, d: (ab.logit() + 2 * math.log(d)).sigmoid(), "You raised the SNR"),
    ("check_smallest_T", 910, "One too few"),
    ("check_smallest_T", 912, "One too many"),
    ("check_smallest_T", 916, "That is the estimate"),
    ("check_pixel", (0.8 * 0.9804**0.5, (1 - 0.9804) ** 0.5), "off by up to"),
    ("check_two_steps", lambda b1, b2: two_steps(b1, b2)[::-1], "wrong order"),
    ("check_one_step", lambda x, b, eps: (1 - b) ** 0.5 * (x + b**0.5 * eps), "shrank the noise as well"),
    ("check_q_sample", lambda x0, t, eps, ab: q_sample(x0, t + 1, eps, ab), "You read alpha_bar[t + 1]"),
    (
        "check_q_sample",
        lambda x0, t, eps, ab: ab[t].sqrt() * x0 + (1 - ab[t]).sqrt() * eps,
        "multiplied with the columns",
    ),
]


def unsquared_cosine(T: int) -> torch.Tensor:
    f = torch.cos((torch.arange(T + 1) / T + 0.008) / 1.008 * math.pi / 2)
    return torch.cat([torch.zeros(1), (1 - f[1:] / f[:-1]).clamp(max=0.999)])


WRONG += [
    ("check_cosine_beta", unsquared_cosine, "not squared"),
    ("check_cosine_beta", lambda T: torch.cat([cosine_schedule(T).beta[1:], torch.zeros(1)]), "wrong side"),
]


@pytest.mark.parametrize("name", GRADERS)
def test_the_right_answer_passes(name: str) -> None:
    verdict = getattr(exercises, name)(RIGHT[name])
    assert verdict
    assert verdict.correct
    assert repr(verdict).startswith("Right. ")


@pytest.mark.parametrize(
    "name", ["check_one_step", "check_reparameterize", "check_q_sample", "check_cosine_beta", "check_shift"]
)
def test_a_reader_may_work_in_float32(name: str) -> None:
    def single(*arguments: Any) -> torch.Tensor:
        result = RIGHT[name](*arguments)  # type: ignore[operator]
        return result.float()

    assert getattr(exercises, name)(single)


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_a_mistake_is_named(name: str, answer: object, words: str) -> None:
    verdict = getattr(exercises, name)(answer)
    assert not verdict
    assert words in verdict.message
    assert repr(verdict).startswith("Not yet. ")


@pytest.mark.parametrize("name", GRADERS)
def test_every_mistake_that_a_grader_knows_gets_its_own_message(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_each_mistake_is_told_apart(name, RIGHT[name], monkeypatch, least=2)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *_: None, "returned None"),
        (lambda *_: ..., "no answer yet"),
        (lambda *_: "twelve", "made of numbers"),
        (lambda *_: 1 / 0, "raised ZeroDivisionError: division by zero."),
        (lambda: 1, "raised TypeError"),
        (None, "A function is graded here, but this is None"),
        (3.0, "A function is graded here, but this is of type float"),
    ],
    ids=["none", "dots", "text", "exception", "arguments", "nothing", "number"],
)
def test_what_is_no_answer_gets_one_clear_sentence(name: str, answer: object, words: str) -> None:
    verdict = getattr(exercises, name)(answer)
    assert not verdict
    if name == "check_two_steps" and words == "made of numbers":
        words = "2 numbers in a tuple"
    assert words in verdict.message
    assert verdict.message.endswith(".")
    assert "\n" not in verdict.message


@pytest.mark.parametrize("name", ["check_pixel", "check_smallest_T"])
@pytest.mark.parametrize("answer", [None, ..., (..., ...)], ids=["none", "dots", "two dots"])
def test_an_open_answer_is_not_marked_wrong(name: str, answer: object) -> None:
    assert "no answer yet" in getattr(exercises, name)(answer).message


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        (
            "check_q_sample",
            lambda x0, t, eps, ab: torch.zeros(2, 2),
            "has shape (2, 2), but (3, 1, 3, 3) was expected",
        ),
        ("check_q_sample", lambda x0, t, eps, ab: x0 * math.nan, "NaN or infinite"),
        (
            "check_cosine_beta",
            lambda T: cosine_schedule(T).beta[1:],
            "has shape (10,), but (11,) was expected",
        ),
        ("check_pixel", 0.65, "should be 2 numbers in a tuple"),
        ("check_pixel", (0.1, 0.2), "off by up to"),
        ("check_smallest_T", "many", "made of numbers"),
    ],
)
def test_a_result_of_the_wrong_kind_is_described(name: str, answer: object, words: str) -> None:
    assert words in getattr(exercises, name)(answer).message
