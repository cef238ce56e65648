"""Graders of the chapter on notation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_reparameterize(answer: object) -> Verdict:
    """answer(mu, variance, eps): a draw from N(mu, variance) made from eps ~ N(0, 1)."""

    def right(mu: float, variance: float, eps: Tensor) -> Tensor:
        return mu + math.sqrt(variance) * eps

    mistakes = [
        Mistake(
            lambda mu, variance, eps: mu + variance * eps,
            "You multiplied the noise by the variance. The standard deviation, its square root, multiplies the noise.",
        ),
        Mistake(
            lambda mu, variance, eps: mu + variance**2 * eps,
            "You squared the variance. It is sigma^2 already: take its square root.",
        ),
        Mistake(
            lambda mu, variance, eps: math.sqrt(variance) * eps,
            "You left the mean out: add mu.",
        ),
        Mistake(
            lambda mu, variance, eps: math.sqrt(variance) * (mu + eps),
            "You scaled the mean as well: only the noise is multiplied by sigma.",
        ),
        Mistake(
            lambda mu, variance, eps: math.sqrt(variance) + mu * eps,
            "You swapped the two: the mean shifts the noise, the standard deviation scales it.",
        ),
        Mistake(
            lambda mu, variance, eps: mu - math.sqrt(variance) * eps,
            "You subtracted the noise. The distribution is the same, but not the draw: add it.",
        ),
        Mistake(
            lambda mu, variance, eps: (eps - mu) / math.sqrt(variance),
            "That is the way back to N(0, 1): it takes mean and width off, where they should be put on.",
        ),
        Mistake(
            lambda mu, variance, eps: math.sqrt(variance) * mu * eps,
            "The mean is added, not multiplied: it shifts.",
        ),
        Mistake(
            lambda mu, variance, eps: variance + mu * eps,
            "You swapped the two: the mean shifts the noise, the standard deviation scales it.",
        ),
    ]
    cases = [(0.7, 0.09, _noise(5)), (-2.0, 4.0, _noise(3, 2))]
    return grade(answer, right, mistakes, cases, "The mean shifts, the standard deviation scales.")


def check_sum_of_gaussians(answer: object) -> Verdict:
    """answer(a, b): the standard deviation of a eps_1 + b eps_2 for independent eps_1, eps_2 ~ N(0, 1)."""

    def right(a: float, b: float) -> float:
        return math.hypot(a, b)

    mistakes = [
        Mistake(lambda a, b: a + b, "You added the standard deviations. Variances add: a^2 + b^2."),
        Mistake(lambda a, b: abs(a) + abs(b), "You added the standard deviations. Variances add: a^2 + b^2."),
        Mistake(lambda a, b: a**2 + b**2, "That is the variance. Its square root was asked for."),
        Mistake(
            lambda a, b: math.sqrt(abs(a) + abs(b)),
            "A weight a makes the variance a^2, not a: square the weights before you add them.",
        ),
        Mistake(
            lambda a, b: math.sqrt(abs(a**2 - b**2)),
            "You subtracted the variances. They add, whatever the signs of a and b.",
        ),
        Mistake(
            lambda a, b: math.sqrt(abs(a + b)),
            "A weight a makes the variance a^2, not a: square the weights before you add them.",
        ),
        Mistake(
            lambda a, b: math.sqrt((a**2 + b**2) / 2),
            "You took the mean of the variances: of a sum it is their sum, not their mean.",
        ),
        Mistake(lambda a, b: math.sqrt(a**4 + b**4), "You squared twice: the variance of a eps_1 is a^2."),
        Mistake(
            lambda a, b: abs(a - b),
            "Deviations are neither added nor subtracted: the variances add, a^2 + b^2.",
        ),
        Mistake(
            lambda a, b: (a + b) ** 2, "The square of a sum has a mixed term. The squares add: a^2 + b^2."
        ),
        Mistake(lambda a, b: a * b, "Independent terms add their variances; nothing is multiplied."),
        Mistake(
            lambda a, b: (a + b) / math.sqrt(2),
            "You added the standard deviations. Variances add: a^2 + b^2.",
        ),
        Mistake(lambda a, b: a**2 * b**2, "Independent terms add their variances; nothing is multiplied."),
    ]
    cases = [(4.0, 3.0), (0.6, 0.5), (2.0, -1.0)]
    return grade(
        answer, right, mistakes, cases, "Variances add; the standard deviation is the root of their sum."
    )


def check_diffusers_index(answer: object) -> Verdict:
    """answer(t): the index into diffusers' `alphas_cumprod` that holds alpha-bar_t of the paper, for t >= 1."""

    def right(t: int) -> int:
        return t - 1

    mistakes = [
        Mistake(
            lambda t: t,
            "That is the index into `alpha_bar` here. Their table has no entry for the clean image, "
            "so index 0 already holds alpha-bar_1.",
        ),
        Mistake(
            lambda t: t + 1, "You shifted the wrong way: their table starts later, so its index is smaller."
        ),
        Mistake(lambda t: t - 2, "You shifted by two. Their table lacks one entry, that of the clean image."),
        Mistake(
            lambda t: 1000 - t, "Their table runs in the same direction as ours, from the data to the noise."
        ),
        Mistake(lambda t: -t, "A negative index counts from the end, where the noise is."),
        Mistake(
            lambda t: 999 - t, "Their table runs in the same direction as ours, from the data to the noise."
        ),
        Mistake(lambda t: t / 1000, "An index is a whole number, the place in the table."),
        Mistake(
            lambda t: 1001 - t, "Their table runs in the same direction as ours, from the data to the noise."
        ),
    ]
    return grade(
        answer, right, mistakes, [(1,), (7,), (1000,)], "Their index 0 is one noising step, ours is none."
    )


def _noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
