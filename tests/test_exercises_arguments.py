"""An answer that no grader knows is told which of its arguments it misuses, or which of its numbers are right."""

import math
from typing import Any

import pytest
import torch

from ddpm_lib.exercises.arguments import use
from ddpm_lib.exercises.grading import grade, grade_value
from ddpm_lib.exercises.near import UNKNOWN

X, Z = torch.tensor([[0.5, 2.0, -3.0], [1.0, -0.2, 0.4]]).double()
CASES = [(X, 0.3, 7, Z), (Z, 0.8, 3, X)]


def right(x: torch.Tensor, share: float, t: int, z: torch.Tensor) -> torch.Tensor:
    return x * math.sqrt(share) * (1 + t) + t * z


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda x, share, t, z: right(x, share, t - 1, z), "with `t` - 1 in the place of `t`"),
        (lambda x, share, t, z: right(x, share, t + 1, z), "with `t` + 1 in"),
        (lambda x, share, t, z: right(x, share**2, t, z), "`share` squared"),
        (lambda x, share, t, z: right(x, share**0.5, t, z), "`share` under a root"),
        (lambda x, share, t, z: right(x, 1 / share, t, z), "`share` upside down"),
        (lambda x, share, t, z: right(x, share, t, -z), "`z` with the other sign"),
        (lambda x, share, t, z: right(z, share, t, x), "`x` and `z` exchanged"),
        (lambda x, share, t, z: right(x, 0.5, t, z), "does not change with `share`"),
        (lambda x, share, t, z: x * math.sqrt(share) + t * t, "does not change with `z`"),
        (lambda x, share, t, z: right(x, share, t, torch.randn_like(z)), "draw none"),
        (lambda x, share, t, z: right(x, share, t, z).sin(), UNKNOWN),
        (lambda x, share, t, z: 1e-13 * right(x, 1 / share, t, z), "0 in every case"),
    ],
)
def test_the_misused_argument_is_named(slip: Any, words: str) -> None:
    message = grade(slip, right, [], CASES, "fine").message
    assert words in message
    assert "was expected, and yours is" in message


def test_the_reader_s_own_names_are_used() -> None:
    mine = grade(lambda a, b, c, d: right(d, b, c, a), right, [], CASES, "fine").message
    assert "`a` and `d` exchanged" in mine
    assert (
        "`x` and `z` exchanged" in grade(lambda *p: right(p[3], *p[1:3], p[0]), right, [], CASES, "").message
    )


def test_a_stride_to_the_time_before_is_told() -> None:
    def step(x: torch.Tensor, t: int, s: int) -> torch.Tensor:
        return x * t**2 + s * x.exp()

    cases = [(X, 7, 3), (X, 5, 1)]
    assert (
        "`t - 1` in the place of `s`" in grade(lambda x, t, s: step(x, t, t - 1), step, [], cases, "").message
    )


def test_what_fails_when_called_again_names_nothing() -> None:
    calls: list[int] = []

    def once(x: torch.Tensor, share: float, t: int, z: torch.Tensor) -> torch.Tensor:
        calls.append(t)
        if len(calls) > len(CASES):
            raise ValueError("once is enough")
        return x.exp()

    given = [[once(*case)] for case in CASES]
    assert use(once, given, right, CASES) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (-0.4, "but for the sign"),
        (2.5, "upside down"),
        (0.6325, "the square root of"),
        (0.16, "the square of"),
        (0.6, "1 minus"),
        (40, "in percent"),
        (0.8, "twice"),
        (0.2, "half"),
        (0.47, UNKNOWN),
    ],
)
def test_a_typed_number_is_compared_with_the_right_one(answer: float, words: str) -> None:
    assert words in grade_value(answer, 0.4, [], "fine").message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((2.0, 5.0, 4.0), "Right: the first and the third. Look at the rest again."),
        ((1.0, 3.0, 5.0), "Right: the second. Of the first: That is half of what was asked for."),
        ((200, 300, 400), "in percent"),
        ((1 / 2, 1 / 3, 1 / 4), "upside down"),
        ((4.0, 3.0, 2.0), "in the wrong order"),
        ((1.37, 2.11, 5.7), UNKNOWN),
    ],
)
def test_of_several_numbers_a_slip_in_all_or_the_right_ones_are_named(answer: object, words: str) -> None:
    assert words in grade_value(answer, (2.0, 3.0, 4.0), [], "fine").message


def test_a_right_answer_that_is_complex_elsewhere_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    def share(ab: float) -> float:  # beyond 1, where `use` looks as well, its root is complex
        return (1 - ab) ** 0.5

    assert not grade(lambda ab: ab, share, [], [(0.3,), (0.5,)], "fine")
    assert not recwarn.list
