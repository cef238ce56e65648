"""Graders of the chapter on the loss, first half: the terms of the bound, in nats and by gray levels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.exercises.tolerance import nearest

BEST_SD, WITHIN = 0.0125, 0.1  # of the last step of the denoiser `one Gaussian`, on its 40 digits
LEVELS = torch.arange(256, dtype=torch.float64) / 127.5 - 1


def check_prior_term(answer: object) -> Verdict:
    """answer: L_T of a white pixel, in nats, where alpha_bar_T = 0.2."""
    right = (0.8 - 1 - math.log(0.8) + 0.2) / 2
    mistakes: list[tuple[object, str]] = [
        (right / math.log(2), "That is in bits. In nats, leave out the division by log 2."),
        (2 * right, "The half in front of the bracket is missing."),
        (0.1, "That is the part of the means alone. The variance 0.8 differs from 1 as well."),
        (right - 0.1, "That is the part of the variances alone. The means cost more: 0.2 / 2."),
        (
            (0.8 - 1 - math.log(0.8) + 0.2**0.5) / 2,
            "The distance of the means is squared: for a white pixel that is alpha_bar_T, without the root.",
        ),
        (
            (1 / 0.8 - 1 + math.log(0.8) + 0.2 / 0.8) / 2,
            "That is the divergence the other way round: the chain's Gaussian comes first.",
        ),
        (
            (0.64 - 1 - math.log(0.64) + 0.2) / 2,
            "You squared the variance: 1 - alpha_bar_T is a variance already.",
        ),
        (
            (0.8 - 1 - math.log(0.8) + 0.04) / 2,
            "You squared twice: the squared mean of a white pixel is alpha_bar_T itself.",
        ),
        ((0.8 - 1 + 0.2) / 2, "The logarithm of the ratio of the variances is missing."),
        (
            (0.2 - 1 - math.log(0.2) + 0.8) / 2,
            "Signal and noise have changed places: the variance is 0.8, the squared mean 0.2.",
        ),
        (784 * right, "That is for a whole picture of 28 x 28 pixels. One pixel was asked for."),
        (
            (0.8 - 1 - math.log(0.8) + 0.2 / 0.8) / 2,
            "The square of the means is divided by the variance of N(0, 1).",
        ),
        (right + 0.5, "The minus 1 is missing: two equal Gaussians get 0."),
    ]
    sides = (
        "It is more: compare N(sqrt(0.2), 0.8) with N(0, 1), mean and variance.",
        "It is less: compare N(sqrt(0.2), 0.8) with N(0, 1), mean and variance.",
    )
    return grade_value(
        answer, right, mistakes, "A fifth of the signal's power costs a tenth of a nat per pixel.", sides
    )


def check_kl(answer: object) -> Verdict:
    """answer(mean_a, variance_a, mean_b, variance_b): KL(a || b), entry by entry."""

    def swapped(mean_a: Tensor, variance_a: Tensor, mean_b: Tensor, variance_b: Tensor) -> Tensor:
        return gaussian.kl(mean_b, variance_b, mean_a, variance_a)

    mistakes = [
        Mistake(
            swapped, "That is KL(b || a): the ratio is a's variance over b's, and b's divides the square."
        ),
        Mistake(lambda *p: 2 * gaussian.kl(*p), "The half in front of the bracket is missing."),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + (ma - mb) ** 2 / va) / 2,
            "The square of the means is divided by the variance of b, not of a.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 + (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "The sign of the logarithm: the divergence grows without limit as a gets narrow.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "Two equal Gaussians get 1/2 from yours: the minus 1 is missing.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + (ma - mb).abs() / vb) / 2,
            "The distance of the means enters with its square.",
        ),
        Mistake(
            lambda ma, va, mb, vb: gaussian.kl(ma, va**2, mb, vb**2),
            "You squared the variances: they are variances already.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).sqrt().log() + (ma - mb) ** 2 / vb) / 2,
            "The logarithm is that of the variances, not of the standard deviations.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log()) / 2 + (ma - mb) ** 2 / vb,
            "The half stands in front of the whole bracket, the distance of the means included.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (vb / va - 1 - (va / vb).log() + (ma - mb) ** 2 / vb) / 2,
            "The first term is the ratio of the variances, a's over b's; yours is upside down.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + (ma - mb) ** 2) / 2,
            "The square of the means is divided by the variance of b.",
        ),
        Mistake(
            lambda ma, va, mb, vb: (va / vb - 1 - (va / vb).log() + ((ma - mb) / vb) ** 2) / 2,
            "The square of the means is divided by the variance of b, and not by its square.",
        ),
        Mistake(
            lambda ma, va, mb, vb: gaussian.kl(ma, va.sqrt(), mb, vb.sqrt()),
            "The formula is given variances here: no roots.",
        ),
    ]
    normal = normals(0)
    cases = [(normal(5), normal(5).exp(), normal(5), normal(5).exp()) for _ in range(2)]
    praise = "Widths cost nothing where they agree, and the means cost their squared distance."
    return grade(answer, gaussian.kl, mistakes, cases, praise)


def check_last_sd(answer: object) -> Verdict:
    """answer: the standard deviation of the last step that makes the mean of L_0 smallest, to 10 %."""
    mistakes: list[tuple[object, str]] = [
        (BEST_SD**2, "That is the variance: take its root."),
        (0.01, "That is the root of beta_1, which the paper fixed. Another one fits better."),
        (
            0.0069,
            "That is the error over all pixels. The black ones own a tail: measure L_0.",
        ),
        (0.0001, "That is beta_1 itself, a variance, and the paper's. Another fits better: measure L_0."),
    ]
    praise = "Wider than the root of beta_1, the choice of the grays alone: black pixels guessed too light need a tail."
    sides = (
        "Too narrow: black pixels guessed too light cost most. Go on with a larger sd.",
        "Too wide: the area of the right level shrinks. Go on with a smaller sd, down to where L_0 turns.",
    )
    return grade_value(nearest(answer, [BEST_SD], WITHIN), BEST_SD, mistakes, praise, sides)
