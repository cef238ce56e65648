"""Grader of the chapter on the experiment: a race between unequal numbers of drawings."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade

Distance = Callable[[Tensor], Tensor]


def check_race(answer: object) -> Verdict:
    """answer(a, b, distance): by how much the drawings `a` are worse than `b`, at equal numbers; (n, d), (m, d)."""

    def right(a: Tensor, b: Tensor, distance: Distance) -> Tensor:
        n = min(len(a), len(b))
        return distance(a[:n]) - distance(b[:n])

    mistakes = [
        Mistake(
            lambda a, b, distance: distance(a) - distance(b),
            "The two are measured on different numbers of drawings, and a distance falls with their number.",
        ),
        Mistake(
            lambda a, b, distance: distance(a[: len(b)]) - distance(b),
            "That is fair only where the first is the longer one: take the smaller number of the two.",
        ),
        Mistake(
            lambda a, b, distance: distance(a) - distance(b[: len(a)]),
            "That is fair only where the second is the longer one: take the smaller number of the two.",
        ),
        Mistake(lambda a, b, distance: right(b, a, distance), "The sign: positive when the first is worse."),
        Mistake(
            lambda a, b, distance: distance(a) / len(a) - distance(b) / len(b),
            "Dividing by the number does not undo its effect: only equal numbers compare.",
        ),
        Mistake(
            lambda a, b, distance: right(a, b, distance) / distance(b[: len(a)]),
            "That is a ratio: the difference of the two was asked for.",
        ),
        Mistake(
            lambda a, b, distance: right(a, b, distance) + distance(b[: min(len(a), len(b))]),
            "That is the distance of the first alone: take off that of the second.",
        ),
        Mistake(
            lambda a, b, distance: distance(a[: min(len(a), len(b))]) / distance(b[: min(len(a), len(b))]),
            "That is a ratio: the difference of the two was asked for.",
        ),
        Mistake(
            lambda a, b, distance: (right(a, b, distance) > 0).double(),
            "That is which is worse. By how much was asked for.",
        ),
    ]

    def distance(x: Tensor) -> Tensor:  # of a set of numbers; it falls with their number, as Fréchet's does
        return x.square().mean() + 1 / len(x)

    # All rows of a set are alike, so that any n of them will do: the first, the last, some at random.
    few = torch.tensor([[0.3, -1.0, 0.8]], dtype=torch.float64).repeat(10, 1)
    many = torch.tensor([[1.1, 0.2, -0.4]], dtype=torch.float64).repeat(40, 1)
    praise = "Equal numbers, or no comparison."
    return grade(answer, right, mistakes, [(few, many, distance), (many, few, distance)], praise)
