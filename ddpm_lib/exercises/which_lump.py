"""Grader of the chapter on editing: which component a point belongs to when one coordinate is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_share_above(answer: object) -> Verdict:
    """answer(c, means, std): P(the first of two components | x_1 = c), equal weights; means (2, 2), one std."""

    def right(c: float, means: Tensor, std: float) -> Tensor:
        return (-((c - means[:, 0]) ** 2) / (2 * std**2)).softmax(0)[0]

    mistakes = [
        Mistake(lambda c, means, std: 1 - right(c, means, std), "That is the second component's share."),
        Mistake(
            lambda c, means, std: (-((c - means[:, 1]) ** 2) / (2 * std**2)).softmax(0)[0],
            "The first coordinate is known: compare c with means[:, 0].",
        ),
        Mistake(
            lambda c, means, std: torch.exp(-((c - means[0, 0]) ** 2) / (2 * std**2)),
            "A likelihood is no probability yet: divide by the sum over both components.",
        ),
        Mistake(
            lambda c, means, std: (-((c - means[:, 0]) ** 2) / (2 * std)).softmax(0)[0],
            "The exponent of a Gaussian has the variance, std squared.",
        ),
        Mistake(
            lambda c, means, std: (-((c - means[:, 0]) ** 2) / std**2).softmax(0)[0],
            "The exponent of a Gaussian has a 2: -(c - m)^2 / (2 std^2).",
        ),
        Mistake(
            lambda c, means, std: torch.tensor(0.5),
            "So it was before x_1 was known. Weigh the components by how well they explain c.",
        ),
        Mistake(
            lambda c, means, std: (-(c - means[:, 0]).abs() / (2 * std**2)).softmax(0)[0],
            "The exponent has the square of the distance.",
        ),
        Mistake(
            lambda c, means, std: (
                torch.exp(-((c - means[0, 0]) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))
            ),
            "That is a density, and no probability: divide by the sum over both components.",
        ),
        Mistake(
            lambda c, means, std: torch.exp(((c - means[1, 0]) ** 2 - (c - means[0, 0]) ** 2) / (2 * std**2)),
            "That is the ratio of both likelihoods. Divide the first by their sum.",
        ),
    ]
    means = torch.tensor([[-0.6, 0.7], [0.5, -0.4]], dtype=torch.float64)
    cases = [(0.3, means, 0.35), (-0.2, means, 0.6)]
    return grade(answer, right, mistakes, cases, "Bayes' rule; the chapter's samplers are judged by it.")
