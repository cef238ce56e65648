"""Grader of the chapter on sampling: what half of the walk without noise leaves."""

from __future__ import annotations

import math

from ddpm_lib.exercises.grading import Verdict, grade_value
from ddpm_lib.exercises.sampling import SCHEDULE

LAST_HALF = 25  # from which time on the noise is dropped


def check_left_over(answer: object) -> Verdict:
    """answer: Var[x_0] of data N(0, 1) on linear_schedule(50), with noise down to t = 26 and means alone after."""
    ab = SCHEDULE.alpha_bar
    half, whole = float(ab[LAST_HALF]), float(ab[-1])
    mistakes: list[tuple[object, str]] = [
        (1.0, "That is the variance with noise at every step. A mean alone is nearer to 0 than a draw."),
        (
            whole,
            "That is what is left when no noise is added at any step. Down to t = 26 the noise was there, so "
            "x_25 still has variance 1.",
        ),
        (math.sqrt(half), "That is the standard deviation: the variance was asked for."),
        (
            1 - half,
            "That is what is lost. It is also nearly all that is left when the other half goes without noise: what "
            "comes after repairs it. Here nothing comes after.",
        ),
        (
            float(SCHEDULE.alpha[LAST_HALF]),
            "That is the factor of one step. The variances of 25 steps multiply.",
        ),
        (
            float(ab[LAST_HALF + 1]),
            "One step too many: from x_25 on there are 25, with alpha_25 ... alpha_1.",
        ),
        (float(ab[LAST_HALF - 1]), "One step too few: from x_25 on there are 25, with alpha_25 ... alpha_1."),
        (0.0, "The pictures do not all become one: x_25 has variance 1, and each mean keeps a part of it."),
    ]
    praise = "Without its noise the way back shrinks the cloud as the way forward does, by alpha_t per step."
    sides = (
        "More is left: x_25 has variance 1, and each of 25 means multiplies it by alpha_t.",
        "Less is left: x_25 has variance 1, and each of 25 means multiplies it by alpha_t.",
    )
    return grade_value(answer, half, mistakes, praise, sides)
