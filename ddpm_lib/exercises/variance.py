"""Graders of the chapter on the variance of a step: what a width costs, and where it lies between two others."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_step_cost(answer: object) -> Verdict:
    """answer(r, k): nats of a step of variance k beta_tilde whose mean is off by r beta_tilde, in mean square."""

    def right(r: float, k: float) -> float:
        return 0.5 * (math.log(k) + (1 + r) / k - 1)

    mistakes = [
        Mistake(
            lambda r, k: math.log(k) + (1 + r) / k - 1, "Twice too much: the divergence begins with a half."
        ),
        Mistake(
            lambda r, k: 0.5 * (math.log(k) + 1 / k + r - 1),
            "The step's variance divides what the mean is off by, too.",
        ),
        Mistake(
            lambda r, k: 0.5 * (math.log(k) + (1 + r) / k),
            "At r = 0 and k = 1 the two are one: the cost must be 0.",
        ),
        Mistake(
            lambda r, k: 0.5 * (-math.log(k) + k + r - 1),
            "That is the divergence the other way round: the truth comes first.",
        ),
        Mistake(
            lambda r, k: 0.5 * (-math.log(k) + (1 + r) / k - 1),
            "A wider Gaussian pays by its logarithm: its sign is +.",
        ),
        Mistake(
            lambda r, k: 0.5 * (math.log(k) + (1 + r**2) / k - 1),
            "r is a mean square already: do not square it.",
        ),
        Mistake(
            lambda r, k: 0.5 * (2 * math.log(k) + (1 + r) / k**2 - 1),
            "k is a ratio of variances: do not square it.",
        ),
        Mistake(
            lambda r, k: 0.5 * (math.log(k) + r / k - 1),
            "The posterior's own variance is missing: 1, in these units.",
        ),
        Mistake(lambda r, k: 0.5 * math.log(1 + r), "That is the least cost, at k = 1 + r. Here k is given."),
        Mistake(lambda r, k: 0.5 * r, "That is the cost at k = 1. Here k is given."),
    ]
    cases = [(0.5, 1.0), (3.0, 2.0), (9.5, 2.2), (0.2, 4.0)]
    praise = "Least at k = 1 + r: the best variance. Too narrow by a factor costs more than too wide by it."
    return grade(answer, right, mistakes, cases, praise)


def check_nu(answer: object) -> Verdict:
    """answer(variance, small, large): the nu between the variances `small` (nu = 0) and `large` (nu = 1)."""

    def right(variance: Tensor, small: Tensor, large: Tensor) -> Tensor:
        return (variance / small).log() / (large / small).log()

    mistakes = [
        Mistake(
            lambda x, a, b: (x - a) / (b - a),
            "That is a straight line between the variances: the interpolation is one of their logarithms.",
        ),
        Mistake(
            lambda x, a, b: (b / x).log() / (b / a).log(), "That is 1 - nu: nu = 1 is the larger variance."
        ),
        Mistake(
            lambda x, a, b: (x / a).log(), "Nearly: nu = 1 must give `large`. Divide by the whole distance."
        ),
        Mistake(lambda x, a, b: x.log() / (b / a).log(), "nu = 0 must give `small`: measure from there."),
        Mistake(lambda x, a, b: (b / a).log() / (x / a).log(), "Upside down."),
        Mistake(
            lambda x, a, b: (x - a).log() / (b - a).log(),
            "The logarithms are subtracted, and not the variances: log x - log a.",
        ),
        Mistake(
            lambda x, a, b: x.log() / b.log(),
            "nu = 0 must give `small`: take log `small` off, above and below.",
        ),
        Mistake(
            lambda x, a, b: (x / a).log() / b.log(),
            "The whole distance is log `large` - log `small`: the second is missing below.",
        ),
        Mistake(
            lambda x, a, b: (x.sqrt() - a.sqrt()) / (b.sqrt() - a.sqrt()),
            "That is a straight line between the standard deviations: the interpolation is one of logarithms.",
        ),
        Mistake(
            lambda x, a, b: (b - x) / (b - a),
            "That is 1 - nu of a straight line: take logarithms, and measure from `small`.",
        ),
    ]
    small, large = torch.tensor([[0.01, 0.2, 0.003], [0.02, 0.5, 0.2]], dtype=torch.float64)
    cases = [(torch.tensor([0.013, 0.3, 0.15], dtype=torch.float64), small, large)]
    return grade(answer, right, mistakes, cases, "What a network with a learned variance should answer.")
