"""Graders of the chapter on few steps: what a step keeps, landings, two steps in one, what a student costs."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value

LEVELS = [(0.02, 0.5), (0.3, 0.8), (0.6, 1.0)]  # (alpha_bar_t, alpha_bar_s)


def check_spread_kept(answer: object) -> Verdict:
    """answer: the standard deviations that 1 and 3 DDIM steps of equal angles leave of N(0, I)."""
    third = math.cos(math.pi / 6)
    mistakes: list[tuple[object, str]] = [
        ((0.0, third), "That is one step of the three: all three multiply."),
        ((0.0, third**6), "That is the variance: the standard deviation is its root."),
        ((0.0, 3 * third), "Each step multiplies what the one before has left: take a power."),
        (
            (0.0, math.cos(math.pi / 3) ** 3),
            "The whole way is 90 degrees, not 180: a third of it is 30 degrees.",
        ),
        (
            (0.0, 1 - math.pi**2 / 24),
            "1 - pi^2 / 8 n is for many steps: for three take the cosine itself.",
        ),
        (
            (1.0, third**3),
            "One step turns by 90 degrees, and its cosine is 0: it answers the mean for every noise.",
        ),
        ((1.0, 1.0), "Only infinitely many short steps keep all of it."),
        ((third**3, 0.0), "Both are right, in the other order."),
    ]
    return grade_value(
        answer, (0.0, third**3), mistakes, "One step ends in the mean; three keep two thirds of the spread."
    )


def landing(x: Tensor, xs: Tensor, ab_t: float, ab_s: float) -> Tensor:
    r = math.sqrt((1 - ab_s) / (1 - ab_t))
    return (xs - r * x) / (math.sqrt(ab_s) - r * math.sqrt(ab_t))


def check_landing(answer: object) -> Verdict:
    """answer(xt, xs, ab_t, ab_s): the x_0 whose DDIM step from x_t ends in x_s; the alpha_bars are numbers."""

    def jump(
        ratio: Callable[[float, float], float] = lambda t, s: math.sqrt((1 - s) / (1 - t)),
        keep: Callable[[float], float] = math.sqrt,
        other: int = 1,
    ) -> Function:
        def function(x: Tensor, xs: Tensor, t: float, s: float) -> Tensor:
            r = ratio(t, s)
            return (xs - r * x) / (keep(s) - other * r * keep(t))

        return function

    mistakes = [
        Mistake(
            jump(ratio=lambda t, s: (1 - s) / (1 - t)),
            "The noise goes from sqrt(1 - alpha_bar_t) to sqrt(1 - alpha_bar_s): take the root of the ratio.",
        ),
        Mistake(
            jump(other=0),
            "x_t holds x_0 as well: what is taken off with its noise is r sqrt(alpha_bar_t) x_0 too much.",
        ),
        Mistake(jump(keep=lambda ab: ab), "The image's weights are the roots of the alpha_bars."),
        Mistake(lambda x, xs, t, s: xs, "That is where the step ends. It is x_0 only at s = 0."),
        Mistake(
            lambda x, xs, t, s: (xs - math.sqrt(1 - s) * x) / math.sqrt(s),
            "x_t is not pure noise: only a part of it is eps_hat.",
        ),
        Mistake(
            jump(other=-1),
            "Check the sign: solve x_s = sqrt(alpha_bar_s) x_0 + r (x_t - sqrt(alpha_bar_t) x_0).",
        ),
    ]
    draw = torch.Generator().manual_seed(0)
    xt, xs = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    cases = [(xt, xs, *levels) for levels in LEVELS]
    return grade(answer, landing, mistakes, cases, "A student that answers this lands where it should.")


def check_halvings(answer: object) -> Verdict:
    """answer: how many rounds of halving lead from 64 steps to 1, and how many teacher's steps one target takes."""
    mistakes: list[tuple[object, str]] = [
        ((7, 2), "64, 32, 16, 8, 4, 2, 1: count the arrows, not the numbers."),
        ((5, 2), "From 2 steps to 1 is a round as well: 64, 32, 16, 8, 4, 2, 1."),
        ((63, 2), "Each round halves what is left; it does not take one step off."),
        ((6, 64), "In every round the teacher is the student of the last one, and takes two steps."),
        ((6, 1), "Two steps of the teacher make one of the student."),
        ((32, 2), "The first round goes from 64 to 32. How many more are there?"),
        ((8, 2), "The eighth power of 2 is 256."),
        ((2, 6), "Both are right, in the other order."),
    ]
    return grade_value(answer, (6, 2), mistakes, "log2(64) rounds, each with a teacher that takes two steps.")


def check_pays_off(answer: object) -> Verdict:
    """answer: the digits that make up for 6,000 passes of 64 images, one call each in the place of 50 guided steps."""
    mistakes: list[tuple[object, str]] = [
        (
            3840,
            "A guided step is two passes, and the student itself takes one: 100 - 1 = 99 are saved a digit.",
        ),
        (7837, "With guidance each step of the teacher is two passes: 99 are saved, not 49."),
        (7680, "With guidance each step of the teacher is two passes, and the student takes one of its own."),
        (
            61,
            "A pass of the budget is one of 64 images: 6,000 of them are 384,000 images through the network.",
        ),
        (
            60,
            "A pass of the budget is one of 64 images: 6,000 of them are 384,000 images through the network.",
        ),
        (384000, "That is the budget in images. Divide it by the passes that a digit saves."),
        (6000, "That is the budget. How many passes does a digit save?"),
        (3878, "3,878 digits do not quite make up for it: round up."),
    ]
    sides = (
        "More digits are needed: 384,000 images of lessons, and 99 passes saved a digit.",
        "Fewer are enough: 384,000 images of lessons, and 99 passes saved a digit.",
    )
    return grade_value(
        answer, 3879, mistakes, "From then on every digit takes a hundredth of the time.", sides
    )


def check_mean_of_ends(answer: object) -> Verdict:
    """answer(ends, weights): what a student answers where curves lead to `ends` (k, d), as often as `weights` say."""

    def right(ends: Tensor, weights: Tensor) -> Tensor:
        return (weights[:, None] * ends).sum(0) / weights.sum()

    mistakes = [
        Mistake(
            lambda e, w: e.mean(0),
            "Not all ends are equally frequent: the mean is weighted by how often each comes.",
        ),
        Mistake(
            lambda e, w: e[w.argmax()], "That is the likeliest end. A squared error is least at the mean."
        ),
        Mistake(lambda e, w: (w[:, None] * e).sum(0), "The weights are counts: divide by their sum."),
        Mistake(
            lambda e, w: e.median(0).values, "The median is best for the absolute error, not for the square."
        ),
        Mistake(
            lambda e, w: (w[:, None] * e).mean(0), "Divide by the sum of the weights, not by their number."
        ),
        Mistake(
            lambda e, w: (w.softmax(0)[:, None] * e).sum(0),
            "The weights are counts: divide by their sum, without a softmax.",
        ),
        Mistake(
            lambda e, w: ((w[:, None] * e**2).sum(0) / w.sum()).sqrt(),
            "That is the root of the mean square, which has lost the signs.",
        ),
    ]
    draw = torch.Generator().manual_seed(2)
    ends = torch.randn(5, 3, generator=draw, dtype=torch.float64)
    weights = torch.tensor([1.0, 4.0, 2.0, 2.0, 3.0], dtype=torch.float64)
    cases = [(ends, weights), (ends[:4], weights[1:])]
    return grade(
        answer, right, mistakes, cases, "Where curves cannot be told apart, their ends are averaged."
    )
