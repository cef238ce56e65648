"""Grader of a derivation in the chapter on guidance: the tilted density of two Gaussians."""

from __future__ import annotations

import math

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_tilted_variance(answer: object) -> Verdict:
    """answer(v_y, v, w): the variance of the tilted Gaussian, where p(x | y) = N(0, v_y) and p(x) = N(0, v)."""
    mistakes = [
        Mistake(
            lambda v_y, v, w: v_y * (v_y / v) ** w,
            "That is where the walk ends. The tilted density is wider: multiply the densities themselves.",
        ),
        Mistake(lambda v_y, v, w: v_y / (1 + w), "Divide by p(x)^w as well: it takes precision away."),
        Mistake(
            lambda v_y, v, w: 1 / ((1 + w) / v_y + w / v),
            "p(x)^w stands in the denominator: its exponent is subtracted.",
        ),
        Mistake(
            lambda v_y, v, w: (1 + w) / v_y - w / v,
            "That is the precision. The variance is one over it.",
        ),
        Mistake(
            lambda v_y, v, w: (1 + w) * v_y - w * v, "Exponents add, so precisions do: variances do not."
        ),
        Mistake(
            lambda v_y, v, w: v_y * v / (w * (v - v_y)),
            "The class stands in it with the power 1 + w, not w: its own factor is there, too.",
        ),
        Mistake(
            lambda v_y, v, w: v_y * v / (v + w * v_y),
            "The power of the classifier is w as well: p(y | x) = p(x | y) / p(x), up to a factor, is raised to it.",
        ),
        Mistake(
            lambda v_y, v, w: 1 / (1 / v_y - w / v),
            "p(y | x)^w is p(x | y)^w over p(x)^w, and p(x | y) stands there once more: 1 + w of its precisions.",
        ),
        Mistake(
            lambda v_y, v, w: 1 / (w / v_y + (1 - w) / v),
            "That is the convention in which w = 1 is no guidance. Here that is w = 0.",
        ),
        Mistake(
            lambda v_y, v, w: 1 / ((1 + w) / v_y - (1 + w) / v),
            "1 + w belongs to p(x | y) alone: p(x) stands in the denominator w times.",
        ),
        Mistake(
            lambda v_y, v, w: 1 / ((1 + w) / v - w / v_y or math.inf),
            "The two have changed places: 1 + w belongs to p(x | y).",
        ),
    ]
    cases = [(0.5, 1.0, 1.0), (0.3, 0.4, 2.5), (1.0, 2.0, 0.5)]
    praise = "Narrower than the class, and wider than what the walk makes of it."
    return grade(answer, lambda v_y, v, w: 1 / ((1 + w) / v_y - w / v), mistakes, cases, praise)
