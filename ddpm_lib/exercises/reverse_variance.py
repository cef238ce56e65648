"""Grader of the chapter on the posterior: the variance of the reverse step, measured."""

from __future__ import annotations

import math

from ddpm_lib import gaussian
from ddpm_lib.exercises.grading import Verdict, grade_value
from ddpm_lib.exercises.posterior import SCHEDULE
from ddpm_lib.exercises.tolerance import nearest

DATA_VARIANCE, MEASURED_T, MEASURED_S = 0.25, 10, 3
SHARE = 0.02  # how far a measured variance may be off


def check_reverse_variance(answer: object) -> Verdict:
    """answer: Var[x_3 | x_10] for data N(0, 0.25) on linear_schedule(50), measured to about 2 %."""
    ab_t, ab_s = float(SCHEDULE.alpha_bar[MEASURED_T]), float(SCHEDULE.alpha_bar[MEASURED_S])
    a = ab_t / ab_s
    marginal = ab_s * DATA_VARIANCE + 1 - ab_s
    _, right = gaussian.product(0.0, marginal, 0.0, (1 - a) / a)
    beta_tilde = (1 - ab_s) * (1 - a) / (1 - ab_t)

    def of_data(tau: float) -> float:
        return float(gaussian.product(0.0, ab_s * tau + 1 - ab_s, 0.0, (1 - a) / a)[1])

    mistakes: list[tuple[object, str]] = [
        (of_data(DATA_VARIANCE**2), "0.25 is the variance of x_0: multiply standard noise by its root, 0.5."),
        (of_data(math.sqrt(DATA_VARIANCE)), "The variance of x_0 is 0.25; 0.5 is its standard deviation."),
        (beta_tilde, "That is beta_tilde, the variance when x_0 is known too. Here only x_t is known."),
        (1 - a, "That is beta, the variance of the forward step: exact only for data of variance 1."),
        (marginal, "That is the variance of x_3 over all paths. Keep only those with one value of x_10."),
        (
            ab_t * DATA_VARIANCE + 1 - ab_t,
            "That is the variance of x_10. The question is how much x_3 still varies when x_10 is known.",
        ),
        (math.sqrt(float(right)), "That is the standard deviation. Square it."),
        (DATA_VARIANCE, "That is the variance of the data, x_0."),
        (
            (1 - a) / a,
            "That is the variance of the likelihood alone. What is known of x_3 without x_10 counts, too.",
        ),
        (1 - ab_s, "That is the variance of x_3 when x_0 is known. Here x_10 is known, and x_0 is not."),
    ]
    values = [float(right), *(float(value) for value, _ in mistakes if isinstance(value, float))]
    sides = (
        "It is more: even with x_0 known as well, beta_tilde would be left.",
        "It is less: x_10 tells enough of x_3 that less than beta is left.",
    )
    return grade_value(
        nearest(answer, values, SHARE),
        float(right),
        mistakes,
        f"It is {float(right):.4f}, between beta_tilde = {beta_tilde:.4f} and beta = {1 - a:.4f}.",
        sides,
    )
