"""What a grader reads as a number, as a row of numbers, and as a pair that was measured."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from ddpm_lib import exercises
from ddpm_lib.exercises.grading import grade, grade_value


def test_any_number_and_any_row_of_numbers_is_read() -> None:
    third = Fraction(1, 3)
    for number in (third, Decimal(1) / 3, np.float64(third), torch.tensor(1 / 3)):
        assert grade_value(number, 1 / 3, [], "fine")
        assert grade_value((number, 2), (1 / 3, 2.0), [], "fine")
        assert grade(lambda a, number=number: number, lambda a: a / 3, [], [(1.0,)], "fine")
    counted = lambda n: torch.arange(n)  # noqa: E731
    for row in (
        range,
        lambda n: (i for i in range(n)),
        lambda n: map(int, range(n)),
        lambda n: list(range(n)),
    ):
        assert grade(row, counted, [], [(4,), (7,)], "fine")


@pytest.mark.parametrize("form", [tuple, list, np.array, torch.tensor])
def test_a_measured_pair_may_come_in_any_form(form: Any) -> None:
    assert exercises.check_shares_of_noise(form([0.272, 0.160]))
    assert exercises.check_early_shares(form([0.957, 0.2503]))
