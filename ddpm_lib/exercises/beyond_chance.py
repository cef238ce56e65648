"""Grader of the chapter 'Where it goes': how often digits fit a phrase, beyond chance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_beyond_chance(answer: object) -> Verdict:
    """answer(counts, fits): 0 where digits fit a phrase as often as by chance, 1 where all do.

    `counts` holds how many draws were named 0 ... 9; `fits` is a set of digits.
    """

    def share(counts: Tensor, fits: frozenset[int]) -> float:
        return float(counts[sorted(fits)].sum() / counts.sum())

    def right(counts: Tensor, fits: frozenset[int]) -> float:
        return (share(counts, fits) - len(fits) / 10) / (1 - len(fits) / 10)

    mistakes = [
        Mistake(share, "That is the share that fits: half of all digits are even without being told so."),
        Mistake(
            lambda counts, fits: share(counts, fits) - len(fits) / 10,
            "That is 0 by chance, but where all fit it is not 1: divide by what chance leaves.",
        ),
        Mistake(
            lambda counts, fits: share(counts, fits) / (len(fits) / 10),
            "A ratio to chance is 1 by chance, not 0.",
        ),
        Mistake(
            lambda counts, fits: (share(counts, fits) - 0.1) / 0.9,
            "Chance is a tenth for each of the digits that fit.",
        ),
        Mistake(
            lambda counts, fits: (float(counts[sorted(fits)].sum()) - len(fits) / 10) / (1 - len(fits) / 10),
            "Divide the counts by their sum first.",
        ),
        Mistake(
            lambda counts, fits: (share(counts, fits) - len(fits) / 10) / (len(fits) / 10),
            "Divide by what chance leaves, 1 - len(fits) / 10.",
        ),
        Mistake(
            lambda counts, fits: (share(counts, fits) - 0.5) / 0.5,
            "Chance is a half only where five digits fit: len(fits) / 10.",
        ),
        Mistake(lambda counts, fits: 1 - share(counts, fits), "That is the share that does not fit."),
        Mistake(
            lambda counts, fits: share(counts, fits) / (1 - len(fits) / 10),
            "Take chance off the share before you divide.",
        ),
        Mistake(
            lambda counts, fits: (share(counts, fits) - 1 + len(fits) / 10) / (len(fits) / 10),
            "Chance and what it leaves have changed places: chance is len(fits) / 10.",
        ),
        Mistake(
            lambda counts, fits: max(0.0, right(counts, fits)),
            "It may be below 0: less than by chance. Do not cut it off.",
        ),
        Mistake(
            lambda counts, fits: math.log(share(counts, fits) / (len(fits) / 10)),
            "A logarithm is 0 by chance, but not 1 where all fit.",
        ),
        Mistake(
            lambda counts, fits: (share(counts, fits) - len(fits) / 9) / (1 - len(fits) / 9),
            "There are ten digits, 0 to 9.",
        ),
    ]

    counts = torch.tensor([3, 1, 7, 0, 2, 5, 1, 1, 0, 4])
    cases = [
        (counts, frozenset({0, 2, 4, 6, 8})),
        (counts.flip(0), frozenset({1, 5})),
        (counts * 3, frozenset({7})),
    ]
    return grade(answer, right, mistakes, cases, "What is left when chance is taken off.")
