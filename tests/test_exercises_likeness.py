"""What a grader says of an answer that it does not know: which weight, factor, part, case or entry is wrong."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from ddpm_lib.exercises.grading import grade, grade_value

DRAW = torch.Generator().manual_seed(0)
X, EPS = torch.randn(2, 4, 5, generator=DRAW, dtype=torch.float64)
TABLE = torch.tensor([1.0, 0.81, 0.49, 0.36, 0.09], dtype=torch.float64)
STEPS: list[tuple[Any, ...]] = [(X, EPS, 0.36), (EPS, X, 0.19)]
JUMPS: list[tuple[Any, ...]] = [(X, EPS, torch.tensor([1, 2, 3, 4]), TABLE)]


def step(x: Tensor, eps: Tensor, b: float) -> Tensor:
    return math.sqrt(1 - b) * x + math.sqrt(b) * eps


def jump(x: Tensor, eps: Tensor, t: Tensor, table: Tensor) -> Tensor:
    return table[t, None].sqrt() * x + (1 - table[t, None]).sqrt() * eps


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda x, eps, b: x + b**0.5 * eps, "weight of `eps` is right, and the weight of `x` is 1, and should not"),
        (lambda x, eps, b: (1 - b) ** 0.5 * x + b * eps, "weight of `eps` is the square of what it should be"),
        (lambda x, eps, b: (1 - b) ** 0.5 * x + b**0.25 * eps, "is the square root of what it should be"),
        (lambda x, eps, b: (1 - b) ** 0.5 * x + eps / b**0.5, "weight of `eps` is upside down"),
        (lambda x, eps, b: (1 - b) ** 0.5 * (x + eps), "the weight of `eps` is that of `x`"),
        (lambda x, eps, b: (1 - b) ** 0.5 * x + (1 - b**0.5) * eps, "is 1 minus what it should be"),
        (lambda x, eps, b: (1 - b) ** 0.5 * x + 3 * eps, "wrong, 3 where"),
    ],
)  # fmt: skip
def test_the_weight_that_is_wrong_in_a_sum_is_named(slip: Any, words: str) -> None:
    assert words in grade(slip, step, [], STEPS, "fine").message


def test_each_image_may_have_a_time_of_its_own() -> None:
    def slip(x: Tensor, eps: Tensor, t: Tensor, table: Tensor) -> Tensor:
        return table[t, None].sqrt() * x + (1 - table[t, None]) * eps

    message = grade(slip, jump, [], JUMPS, "fine").message
    assert "weight of `x` is right, and the weight of `eps` is the square" in message


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda a, b: a * b * (1 - b), "a factor `(1 - b)` that yours has"),
        (lambda a, b: a, "itself"),
        (lambda a, b: a * b / (1 + a), "a factor `(1 + a)` that yours lacks"),
        (lambda a, b: a * b + a**2, "`a^2`, which is added"),
        (lambda a, b: a * b - b, "`b`, which is missing from the sum"),
    ],
)
def test_a_factor_or_a_sum_of_one_argument_is_named(slip: Any, words: str) -> None:
    assert words in grade(slip, lambda a, b: a * b, [], [(2.0, 3.0), (0.7, 1.3), (5.0, 0.4)], "fine").message


def test_what_a_table_holds_at_a_time_is_an_argument_too() -> None:
    cases = [(X, 2, TABLE), (EPS, 4, TABLE)]
    right = lambda x, t, table: table[t] * x + 1  # noqa: E731
    slip = lambda x, t, table: table[t] * (table[t] * x + 1)  # noqa: E731
    assert "a factor `table[t]` that yours has" in grade(slip, right, [], cases, "fine").message


def test_a_factor_that_changes_from_case_to_case_is_shown() -> None:
    cases = [(X, 2.0), (EPS, 3.0)]
    message = grade(lambda x, a: x.exp() * (a + a**3), lambda x, a: x.exp(), [], cases, "fine").message
    assert "Case by case right up to a factor, but not always the same one: 10, 30." in message


def test_of_several_results_the_wrong_one_is_explained_by_itself() -> None:
    cases = [(2.0, 3.0), (5.0, 0.4)]
    message = grade(lambda a, b: (a + b, a), lambda a, b: (a + b, a * b), [], cases, "fine").message
    assert message.startswith("Right: the first. Of the second: ")
    assert "That is `a` itself" in message


def test_cases_that_are_right_are_named() -> None:
    slip = lambda a: a * a if a > 1 else math.sin(a)  # noqa: E731
    message = grade(slip, lambda a: a * a, [], [(2.0,), (0.5,), (3.0,)], "fine").message
    assert message.startswith("For a = 0.5 the result")
    assert "It is right for a = 2; a = 3: what is different here?" in message


def test_entries_that_are_right_are_named_by_their_argument() -> None:
    snr = torch.tensor([0.1, 0.5, 2.0, 9.0], dtype=torch.float64)
    message = grade(
        lambda snr: snr / (1 + snr), lambda snr: snr.clamp(max=1) / (1 + snr), [], [(snr,)], "fine"
    ).message
    assert "It is right where snr = 0.1, and wrong where snr = 2" in message


@pytest.mark.parametrize(
    ("answer", "words"), [(0.31, "more of it"), (0.77, "less of it"), (4.0, "ten times")]
)
def test_a_number_is_told_on_which_side_it_is(answer: float, words: str) -> None:
    message = grade_value(answer, 0.4, [], "fine", ("It takes more of it.", "It takes less of it.")).message
    assert words in message
