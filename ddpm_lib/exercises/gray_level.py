"""Grader of the chapter on the loss: the probability of a gray level."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib import gaussian
from ddpm_lib.bound import level_log_prob
from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.grading import Mistake, Verdict, grade

LEVELS = torch.arange(256, dtype=torch.float64) / 127.5 - 1


def check_log_level(answer: object) -> Verdict:
    """answer(x0, mean, sd): log of the probability of each gray level x0 under N(mean, sd^2)."""

    def levels(half: float, tails: bool = True) -> Function:
        def function(x0: Tensor, mean: float, sd: float) -> Tensor:
            upper, lower = (x0 + half - mean) / sd, (x0 - half - mean) / sd
            if tails:
                upper = torch.where(x0 > 0.999, math.inf, upper)
                lower = torch.where(x0 < -0.999, -math.inf, lower)
            area: Tensor = torch.special.ndtr(upper) - torch.special.ndtr(lower)
            return area.log()

        return function

    def right(x0: Tensor, mean: float, sd: float) -> Tensor:
        return level_log_prob(x0, torch.full_like(x0, mean), sd**2)

    mistakes = [
        Mistake(
            levels(1 / 255, tails=False),
            "Right in the middle. But black and white own the tails: yours do not add to 1.",
        ),
        Mistake(
            levels(2 / 255),
            "Your levels overlap: two neighbors are 2 / 255 apart, so each owns 1 / 255 to either side.",
        ),
        Mistake(
            levels(1 / 256),
            "Your levels leave gaps: 256 levels have 255 steps between them, over a width of 2.",
        ),
        Mistake(lambda *p: right(*p).exp(), "That is the probability: return its logarithm."),
        Mistake(
            lambda x0, mean, sd: gaussian.log_prob(x0, mean, sd**2),
            "That is the logarithm of the density at the level. What is asked is the area around it.",
        ),
        Mistake(
            lambda x0, mean, sd: right(x0, mean, sd**2),
            "You divided by the variance: ndtr wants the distance in standard deviations.",
        ),
        Mistake(
            lambda x0, mean, sd: right(x0, mean, math.sqrt(sd)),
            "You divided by the root of sd: sd is the standard deviation already.",
        ),
        Mistake(
            levels(1 / 510),
            "Your levels leave gaps: two neighbors are 2 / 255 apart, in [-1, 1], and not 1 / 255.",
        ),
        Mistake(
            lambda x0, mean, sd: torch.special.ndtr((x0 - mean) / sd).clamp(min=1e-300).log(),
            "That is the area left of the level. It owns only what lies between its two edges.",
        ),
        Mistake(
            lambda x0, mean, sd: -((x0 - mean) ** 2) / (2 * sd**2),
            "That is the exponent of the density. What is asked is the logarithm of an area.",
        ),
        Mistake(levels(0.5), "Levels are 2 / 255 apart here, not 1: x0 lies in [-1, 1]."),
        Mistake(
            lambda x0, mean, sd: (
                torch.special.ndtr((x0 + 1 / 255 - mean) / sd).log()
                - torch.special.ndtr((x0 - 1 / 255 - mean) / sd).log()
            ),
            "The areas are subtracted first; the logarithm comes after.",
        ),
    ]
    cases = [(LEVELS, 0.1, 0.4), (LEVELS, -0.7, 0.5)]
    praise = "The shares of all 256 levels add to 1, so this is a probability, and its logarithm counts bits."
    return grade(answer, right, mistakes, cases, praise)
