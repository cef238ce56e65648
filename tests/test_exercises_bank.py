"""The bank of answers (`tests/bank`), and absurd ones, tried on every grader: none makes it raise or judge wrongly."""

import importlib
import math
import pkgutil
from typing import Any

import numpy as np
import pytest
import torch

from ddpm_lib import exercises
from ddpm_lib.exercises.grading import Mistake, grade, grade_value
from tests import bank

GRADERS = [name for name in exercises.__all__ if name.startswith("check_")]
FILES = [
    importlib.import_module(f"tests.bank.{chapter.name}") for chapter in pkgutil.iter_modules(bank.__path__)
]
CHAPTERS = [file.BANK for file in FILES if hasattr(file, "BANK")]
MORE: bank.More = {
    name: slips for file in FILES if hasattr(file, "MORE") for name, slips in file.MORE.items()
}
BANK: bank.Bank = {name: answers for chapter in CHAPTERS for name, answers in chapter.items()}
UNKNOWN = "known here"


def test_the_bank_holds_every_grader_once() -> None:
    assert sorted(BANK) == sorted(GRADERS)
    assert sum(map(len, CHAPTERS)) == len(BANK)
    assert not [name for name, answers in BANK.items() if len(answers.right) < 3 or len(answers.wrong) < 5]


def test_every_grader_has_five_further_slips() -> None:
    assert sorted(MORE) == sorted(GRADERS)
    assert {name: len(slips) for name, slips in MORE.items() if len(slips) < 5} == {}


@pytest.mark.parametrize("name", MORE)
def test_a_further_slip_is_told_more_than_that_it_is_wrong(name: str) -> None:
    for i, (answer, words) in enumerate(MORE[name]):
        verdict = getattr(exercises, name)(answer)
        assert not verdict, f"further slip {i} passes"
        assert words in verdict.message, f"further slip {i} ({words}): {verdict.message}"
        assert UNKNOWN not in verdict.message, f"further slip {i}: {verdict.message}"


@pytest.mark.parametrize("name", BANK)
def test_right_answers_of_every_form_pass(name: str) -> None:
    for i, answer in enumerate(BANK[name].right):
        verdict = getattr(exercises, name)(answer)
        assert verdict, f"right answer {i}: {verdict.message}"


@pytest.mark.parametrize("name", BANK)
def test_each_slip_is_told_what_it_is(name: str) -> None:
    told = []
    for i, (answer, words) in enumerate(BANK[name].wrong):
        verdict = getattr(exercises, name)(answer)
        assert not verdict, f"wrong answer {i} passes"
        assert words in verdict.message, f"wrong answer {i} ({words}): {verdict.message}"
        told.append(UNKNOWN not in verdict.message)
    assert sum(told) >= 4, "too many slips are not known"


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


TRIPLE = [(torch.tensor([0.5, 2.0, -3.0], dtype=torch.float64),)]


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda x: -3 * x, "but for the sign"),
        (lambda x: 6 * x, "Right up to the factor 2,"),
        (lambda x: x, "Right up to the factor 1 / 3,"),
        (lambda x: 3 * x / math.log(2), "Right up to the factor 1 / log 2:"),
        (lambda x: 3 * x + 0.5, "off by 0.5 everywhere"),
        (lambda x: 3 * x**2, "was expected"),
    ],
)
def test_what_an_answer_has_in_common_with_the_right_one_is_said(slip: Any, words: str) -> None:
    assert words in grade(slip, lambda x: 3 * x, [], TRIPLE, "fine").message


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (math.sqrt, "That is the square root"),
        (lambda a: a * a, "is the square of"),
        (lambda a: 1 / a, "upside down"),
    ],
)
def test_roots_and_reciprocals_are_seen(slip: Any, words: str) -> None:
    assert words in grade(slip, lambda a: a, [], [(2.0,), (3.0,)], "fine").message


@pytest.mark.parametrize("both", [torch.tensor, np.array, list, tuple])
def test_two_numbers_may_come_in_an_array_and_not_in_the_wrong_order(both: Any) -> None:
    cases = [(2.0, 3.0)]
    assert grade(lambda a, b: both([a, b]), lambda a, b: (a, b), [], cases, "fine")
    assert "wrong order" in grade(lambda a, b: both([b, a]), lambda a, b: (a, b), [], cases, "fine").message


@pytest.mark.parametrize("form", [lambda x: x.float(), lambda x: x.numpy(), lambda x: x.tolist(), list])
def test_arrays_and_lists_are_numbers(form: Any) -> None:
    cases = [(torch.tensor([0.2, 0.5], dtype=torch.float64),)]
    assert grade(lambda x: form(3 * x), lambda x: 3 * x, [], cases, "fine")
