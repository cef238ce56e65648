"""Graders of the chapter on the forward Markov chain: its steps."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.schedule import linear_schedule

PIXEL, PIXEL_T = 0.8, 100  # the exercise's pixel and time, on linear_schedule(500)


def check_pixel(answer: object) -> Verdict:
    """answer: (mean, standard deviation) of x_100 given the pixel x_0 = 0.8, on linear_schedule(500)."""
    table = linear_schedule(500).alpha_bar
    ab, late, early = (float(table[t]) for t in (PIXEL_T, PIXEL_T + 1, PIXEL_T - 1))
    mean, sd = math.sqrt(ab) * PIXEL, math.sqrt(1 - ab)
    alpha = float(linear_schedule(500).alpha[PIXEL_T])
    mistakes = [
        ((mean, 1 - ab), "The mean is right. Your second number is the variance: take its square root."),
        ((ab * PIXEL, sd), "You weighted the pixel by alpha_bar. Its square root multiplies x_0."),
        ((ab * PIXEL, 1 - ab), "Both numbers lack a square root: sqrt(alpha_bar) and sqrt(1 - alpha_bar)."),
        ((math.sqrt(ab), sd), "That is the weight of x_0. Multiply it by the pixel, 0.8, to get the mean."),
        ((sd, mean), "You gave the two in the wrong order: the mean comes first."),
        (
            (round(mean, 2), round(sd, 2)),
            "With two digits x_99 and x_100 can hardly be told apart: give three.",
        ),
        ((0.0, 1.0), "That is the end of the chain. At t = 100 the pixel has not disappeared."),
        ((PIXEL, sd), "The mean does not stay at 0.8: every step shrinks it."),
        (
            (math.sqrt(alpha) * PIXEL, math.sqrt(1 - alpha)),
            "That is one step, with alpha_100. All 100 steps together have alpha_bar_100.",
        ),
    ]
    for schedule in (linear_schedule(1000), linear_schedule(500, rescale=False)):
        other = float(schedule.alpha_bar[PIXEL_T])
        mistakes.append(
            (
                (math.sqrt(other) * PIXEL, math.sqrt(1 - other)),
                "That is another schedule: take linear_schedule(500) as it is.",
            )
        )
    for other in (late, early):
        shifted = (math.sqrt(other) * PIXEL, math.sqrt(1 - other))
        mistakes.append(
            (shifted, "You are one step off: alpha_bar[0] is the clean image, so read alpha_bar[100].")
        )
    return grade_value(answer, (mean, sd), mistakes, "Square roots on both, and alpha_bar read at t itself.")


def check_two_steps(answer: object) -> Verdict:
    """answer(beta_1, beta_2): the weight of x_0 in x_2, and the variance of x_2 given x_0."""

    def right(beta_1: float, beta_2: float) -> tuple[float, float]:
        a = (1 - beta_1) * (1 - beta_2)
        return math.sqrt(a), 1 - a

    def weight(b1: float, b2: float) -> float:
        return right(b1, b2)[0]

    mistakes = [
        Mistake(
            lambda b1, b2: (weight(b1, b2), b1 + b2),
            "The weight is right. The variances do not simply add: the second step also shrinks the first one's noise.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), math.sqrt(right(b1, b2)[1])),
            "The weight is right. You gave the standard deviation: the variance was asked for.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), math.sqrt(1 - b2) * b1 + b2),
            "The weight is right. The first noise is multiplied by sqrt(1 - beta_2), so its variance by 1 - beta_2.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), b1 * b2),
            "The weight is right. You multiplied the variances: those of independent terms add.",
        ),
        Mistake(
            lambda b1, b2: right(b1, b2)[::-1],
            "You gave the two in the wrong order: the weight of x_0 comes first.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2) ** 2, right(b1, b2)[1]),
            "The variance is right. The weight of x_0 lacks a square root: each step multiplies by sqrt(1 - beta).",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), b1 + math.sqrt(1 - b1) * b2),
            "The weight is right. You shrank the wrong noise: the second step shrinks what the first one added.",
        ),
        Mistake(
            lambda b1, b2: (math.sqrt(1 - b1 - b2), b1 + b2),
            "The factors of the two steps multiply, they do not add: (1 - beta_1)(1 - beta_2).",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), 1 - weight(b1, b2)),
            "The weight is right. The variance is 1 minus its square, not 1 minus the weight itself.",
        ),
        Mistake(
            lambda b1, b2: (1 - b1 - b2, right(b1, b2)[1]),
            "The variance is right. The factors sqrt(1 - beta_1) and sqrt(1 - beta_2) are multiplied.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), math.sqrt(b1 * (1 - b2)) + math.sqrt(b2)),
            "The weight is right. Standard deviations of independent noises do not add: their variances do.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), b1 * (1 - b2) ** 2 + b2),
            "The weight is right. The second step multiplies the noise's variance by 1 - beta_2, unsquared.",
        ),
        Mistake(
            lambda b1, b2: (math.sqrt(1 - b1) + math.sqrt(1 - b2), right(b1, b2)[1]),
            "The variance is right. Both steps shrink the same x_0, one after the other: multiply their factors.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), weight(b1, b2) ** 2),
            "The weight is right. Its square is the share of the image's variance; the noise has the rest, 1 minus it.",
        ),
        Mistake(
            lambda b1, b2: (weight(b1, b2), (math.sqrt((1 - b2) * b1) + math.sqrt(b2)) ** 2),
            "The weight is right. You added the standard deviations: of independent noises the variances add.",
        ),
        Mistake(
            lambda b1, b2: ((1 - b1) * (1 - b2), b1 + b2),
            "Each step multiplies the image by sqrt(1 - beta), and the second also shrinks the first one's noise.",
        ),
    ]
    cases = [(0.1, 0.3), (0.5, 0.02)]
    return grade(
        answer, right, mistakes, cases, "Weight and variance are sqrt(alpha_bar_2) and 1 - alpha_bar_2."
    )


def check_one_step(answer: object) -> Verdict:
    """answer(x, beta_t, eps): one step of the chain, x_t from x_{t-1}."""

    def right(x: Tensor, beta_t: float, eps: Tensor) -> Tensor:
        return math.sqrt(1 - beta_t) * x + math.sqrt(beta_t) * eps

    mistakes = [
        Mistake(
            lambda x, b, eps: math.sqrt(1 - b) * x + b * eps,
            "That is the step as given: its noise is too small. Which variance does one call add?",
        ),
        Mistake(
            lambda x, b, eps: (1 - b) * x + math.sqrt(b) * eps,
            "You shrank the image by 1 - beta. Its square root keeps the variance at 1.",
        ),
        Mistake(
            lambda x, b, eps: (1 - b) * x + b * eps,
            "Both square roots are missing: sqrt(1 - beta) for the image, sqrt(beta) for the noise.",
        ),
        Mistake(
            lambda x, b, eps: x + math.sqrt(b) * eps,
            "You did not shrink the image, so the variance grows with every step: multiply x by sqrt(1 - beta).",
        ),
        Mistake(
            lambda x, b, eps: math.sqrt(1 - b) * (x + math.sqrt(b) * eps),
            "You shrank the noise as well: only x is multiplied by sqrt(1 - beta).",
        ),
        Mistake(
            lambda x, b, eps: math.sqrt(b) * x + math.sqrt(1 - b) * eps,
            "You swapped the weights: a small beta must leave the image nearly as it was.",
        ),
        Mistake(
            lambda x, b, eps: math.sqrt(1 - b) * x - math.sqrt(b) * eps,
            "You subtracted the noise. The distribution is the same, but not the image: add it.",
        ),
        Mistake(
            lambda x, b, eps: (1 - math.sqrt(b)) * x + math.sqrt(b) * eps,
            "The image has weight sqrt(1 - beta), which is not 1 - sqrt(beta): the squares add to 1.",
        ),
        Mistake(
            lambda x, b, eps: (x + math.sqrt(b) * eps) / math.sqrt(1 + b),
            "That keeps the variance at 1 as well, but it is another chain: multiply x by sqrt(1 - beta).",
        ),
    ]
    cases = [(normal(0, 2, 1, 4, 4), 0.02, normal(1, 2, 1, 4, 4)), (normal(2, 6), 0.3, normal(3, 6))]
    return grade(
        answer,
        right,
        mistakes,
        cases,
        "The image shrinks by sqrt(1 - beta), the noise enters with sqrt(beta).",
    )


def normal(seed: int, *shape: int) -> Tensor:
    """Fixed standard normal draws: the inputs of a graded function."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
