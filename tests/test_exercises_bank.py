"""Answers of every kind, tried on every grader: none makes it raise, and none of the absurd ones is right."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from ddpm_lib import exercises
from ddpm_lib.exercises.grading import Mistake, grade, grade_value

GRADERS = [name for name in exercises.__all__ if name.startswith("check_")]


def leave(*_: object) -> object:
    raise SystemExit(1)


ABSURD: dict[str, Any] = {
    "none": None,
    "dots": ...,
    "text": "many",
    "empty": (),
    "nested": ((1, 2), 3),
    "dictionary": {"a": 1},
    "set": {1, 2},
    "nan": math.nan,
    "infinite": -math.inf,
    "complex": 1 + 2j,
    "array of objects": np.array([None, "x"], dtype=object),
    "far off": -12345.678,
    "a class": dict,
    "returns none": lambda *_: None,
    "returns text": lambda *_: "x",
    "returns a class": lambda *_: int,
    "returns nan": lambda *_: torch.tensor(math.nan),
    "returns complex": lambda *_: torch.tensor(1j),
    "returns the first": lambda *arguments: arguments[:1],
    "divides by zero": lambda *_: 1 / 0,
    "leaves": leave,
    "wants nothing": lambda: 1.0,
}


@pytest.mark.parametrize("name", GRADERS)
def test_no_grader_raises_or_takes_the_absurd(name: str) -> None:
    for kind, answer in ABSURD.items():
        verdict = getattr(exercises, name)(answer)
        assert not verdict, kind
        assert verdict.message.endswith("."), kind


VALUE_MISTAKES: list[tuple[object, str]] = [(0.0702, "its neighbor")]


@pytest.mark.parametrize("answer", [0.0694, 0.069, 0.0695, np.float32(0.0694), torch.tensor([0.0694])])
def test_a_number_may_be_rounded_to_one_percent(answer: object) -> None:
    assert grade_value(answer, 0.06942, VALUE_MISTAKES, "fine")


def test_of_two_values_within_one_percent_the_nearer_counts() -> None:
    assert grade_value(0.0699, 0.06942, VALUE_MISTAKES, "fine").message == "its neighbor"
    assert "off by up to" in grade_value(0.0715, 0.06942, VALUE_MISTAKES, "fine").message


def test_a_whole_number_must_be_exact() -> None:
    assert not grade_value(916, 911, [], "fine")
    assert grade_value(911.0, 911, [], "fine")


def test_an_unknown_mistake_shows_what_was_expected_and_what_came() -> None:
    message = grade(lambda a: 2 * a, lambda a: 3 * a, [], [(5.0,)], "fine").message
    assert "there 15 was expected, and yours is 10" in message


def test_copies_along_an_axis_are_one_answer() -> None:
    cases = [(torch.tensor([0.2, 0.5]),)]

    def variance(x: torch.Tensor) -> torch.Tensor:
        return x.reshape(2, 1, 1, 1)

    wrong = [Mistake(lambda x: 2 * x.reshape(2, 1, 1, 1), "twice")]
    assert grade(lambda x: variance(x).expand(2, 1, 3, 3), variance, wrong, cases, "fine")
    assert grade(lambda x: 2 * variance(x).expand(2, 1, 3, 3), variance, wrong, cases, "").message == "twice"
    uneven = grade(lambda x: variance(x) + torch.arange(3.0), variance, wrong, cases, "fine")
    assert "was expected" in uneven.message


@pytest.mark.parametrize("form", [lambda x: x.float(), lambda x: x.numpy(), lambda x: x.tolist()])
def test_arrays_and_lists_are_numbers(form: Any) -> None:
    cases = [(torch.tensor([0.2, 0.5], dtype=torch.float64),)]
    assert grade(lambda x: form(3 * x), lambda x: 3 * x, [], cases, "fine")
