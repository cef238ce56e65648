"""Grader of the chapter on the forward Markov chain: how two times depend on each other."""

from __future__ import annotations

import math

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_correlation(answer: object) -> Verdict:
    """answer(alpha_bar_s, alpha_bar_t): the correlation of x_s and x_t given x_0, for s < t."""

    def right(alpha_bar_s: float, alpha_bar_t: float) -> float:
        return math.sqrt(alpha_bar_t * (1 - alpha_bar_s) / (alpha_bar_s * (1 - alpha_bar_t)))

    mistakes = [
        Mistake(
            lambda s, t: math.sqrt(t / s) * (1 - s),
            "That is the covariance. Divide it by both standard deviations, sqrt(1 - alpha_bar) at s and at t.",
        ),
        Mistake(
            lambda s, t: math.sqrt(t / s),
            "That is the weight of x_s in x_t. The correlation also needs the two standard deviations.",
        ),
        Mistake(
            lambda s, t: right(s, t) ** 2,
            "You left the last square root out: this is the squared correlation.",
        ),
        Mistake(
            lambda s, t: math.sqrt(t / s) * (1 - s) / ((1 - s) * (1 - t)),
            "You divided by the variances: divide by the standard deviations.",
        ),
        Mistake(lambda s, t: 1 / right(s, t), "You swapped s and t: a correlation is never above 1."),
        Mistake(
            lambda s, t: math.sqrt((1 - s) / (1 - t)),
            "That compares the noise alone. x_t holds only the part sqrt(alpha_bar_t / alpha_bar_s) of x_s.",
        ),
        Mistake(
            lambda s, t: math.sqrt(t / s * (1 - s)),
            "Nearly: the covariance is divided by both standard deviations, sqrt(1 - alpha_bar) at s and at t.",
        ),
        Mistake(
            lambda s, t: t / s,
            "That is the signal kept from s to t. Start from the covariance of x_s and x_t.",
        ),
        Mistake(
            lambda s, t: 1 / right(s, t) ** 2,
            "You swapped s and t, and left the root out: a correlation is never above 1.",
        ),
        Mistake(
            lambda s, t: math.sqrt(t * (1 - t) / (s * (1 - s))),
            "The parts of the noise have changed places: 1 - alpha_bar_s stands above, with alpha_bar_t.",
        ),
        Mistake(
            lambda s, t: (1 - s) / (1 - t),
            "That compares the noise alone, and without a root: x_t holds only a part of x_s.",
        ),
        Mistake(lambda s, t: math.sqrt(s * t), "That belongs to x_0 in both of them, and x_0 is given here."),
        Mistake(
            lambda s, t: 1 - t / s,
            "That is the noise between s and t: start from the covariance.",
        ),
    ]
    cases = [(0.9, 0.4), (0.5, 0.3)]
    return grade(
        answer, right, mistakes, cases, "It is the root of the ratio of the two signal-to-noise ratios."
    )
