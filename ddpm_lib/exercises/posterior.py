"""Graders of the chapter on the posterior: its two factors, their shares, its mean and variance."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(50)  # of all exercises in that chapter

Weigh = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def check_shares(answer: object) -> Verdict:
    """answer(snr_s, snr_t): the shares of the prior and of the likelihood in the posterior's mean."""

    def right(snr_s: float, snr_t: float) -> tuple[float, float]:
        return 1 - snr_t / snr_s, snr_t / snr_s

    mistakes = [
        Mistake(
            lambda s, t: (t / s, 1 - t / s),
            "You swapped the two: when t is close to s the two ratios are equal, and the share of the prior must be 0.",
        ),
        Mistake(
            lambda s, t: (1 - math.sqrt(t / s), math.sqrt(t / s)),
            "That is the correlation of x_s and x_t. The likelihood's share is its square.",
        ),
        Mistake(
            lambda s, t: (s / (s + t), t / (s + t)),
            "The ratios are no precisions to be added: start from the shares in terms of alpha_bar.",
        ),
        Mistake(
            lambda s, t: (1 - s / t, s / t),
            "You turned the ratio round: SNR falls with t, so snr_s / snr_t is more than 1 and no share.",
        ),
        Mistake(lambda s, t: (t / s, t / s), "Two shares add to 1: what is left belongs to the prior."),
        Mistake(
            lambda s, t: (1 - (t / s) ** 2, (t / s) ** 2),
            "You squared the ratio: a ratio of SNRs is one of variances already.",
        ),
        Mistake(
            lambda s, t: (1 - t * (1 + s) / (s * (1 + t)), t * (1 + s) / (s * (1 + t))),
            "That is a, the ratio of the alpha_bars. The share is the ratio of the SNRs.",
        ),
        Mistake(
            lambda s, t: (s - t, t),
            "A share is part of a whole: divide both by SNR(s), so that they add to 1.",
        ),
        Mistake(
            lambda s, t: ((s - t) / t, t / s),
            "The two add to 1: what is left of the likelihood's is the prior's.",
        ),
    ]
    cases = [(4.0, 1.0), (0.5, 0.3)]
    praise = "The likelihood's share is the ratio SNR(t) / SNR(s): what the steps from s to t leave of it."
    return grade(answer, right, mistakes, cases, praise)


def weights(ab_t: Tensor, ab_s: Tensor) -> tuple[Tensor, Tensor]:
    """Those of x_0 and of x_t in the mean of q(x_s | x_t, x_0)."""
    a = ab_t / ab_s
    return ab_s.sqrt() * (1 - a) / (1 - ab_t), a.sqrt() * (1 - ab_s) / (1 - ab_t)


def _forgot_a(ab_t: Tensor, ab_s: Tensor) -> tuple[Tensor, Tensor]:
    """The weights by precision, with 1 - a for the variance of the likelihood."""
    a = ab_t / ab_s
    return ab_s.sqrt() * (1 - a) / (2 - ab_s - a), (1 - ab_s) / a.sqrt() / (2 - ab_s - a)


def _beta_tilde(ab_t: Tensor, ab_s: Tensor) -> Tensor:
    return (1 - ab_s) * (1 - ab_t / ab_s) / (1 - ab_t)


def _posterior(
    weigh: Weigh = weights,
    variance: Callable[[Tensor, Tensor], Tensor] = _beta_tilde,
    table: Tensor | None = None,
    shift: int = 0,
    always_one_step: bool = False,
) -> Function:
    """The posterior, right or with a mistake in one of its parts."""

    def function(x0: Tensor, xt: Tensor, t: int, s: int, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
        source = alpha_bar if table is None else table
        ab_t, ab_s = source[t + shift], source[(t - 1 if always_one_step else s) + shift]
        weight_x0, weight_xt = weigh(ab_t, ab_s)
        return weight_x0 * x0 + weight_xt * xt, variance(ab_t, ab_s)

    return function


def _scaled(x0: Callable[[Tensor, Tensor], Tensor], xt: Callable[[Tensor, Tensor], Tensor]) -> Weigh:
    """The right weights, each multiplied by what a mistake adds to it."""
    return lambda t, s: (weights(t, s)[0] * x0(t, s), weights(t, s)[1] * xt(t, s))


def check_posterior(answer: object) -> Verdict:
    """answer(x0, xt, t, s, alpha_bar): mean and variance of q(x_s | x_t, x_0)."""

    mistakes = [
        Mistake(
            _posterior(variance=lambda t, s: 1 - t / s),
            "The mean is right. Your variance is that of the forward step: knowing x_0 makes it smaller, by the factor "
            "(1 - alpha_bar_s) / (1 - alpha_bar_t).",
        ),
        Mistake(
            _posterior(variance=lambda t, s: _beta_tilde(t, s).sqrt()),
            "The mean is right. You returned the standard deviation: the variance was asked for.",
        ),
        Mistake(
            _posterior(weigh=lambda t, s: weights(t, s)[::-1]),
            "The variance is right. You swapped the weights: at s = 0 all of the mean must come from x_0.",
        ),
        Mistake(
            _posterior(weigh=_scaled(lambda t, s: s.sqrt(), lambda t, s: torch.ones(()))),
            "The weight of x_0 holds sqrt(alpha_bar_s), not alpha_bar_s.",
        ),
        Mistake(
            _posterior(weigh=_scaled(lambda t, s: torch.ones(()), lambda t, s: (t / s).sqrt())),
            "The weight of x_t holds sqrt(a), not a = alpha_bar_t / alpha_bar_s.",
        ),
        Mistake(
            _posterior(weigh=_scaled(lambda t, s: s.sqrt(), lambda t, s: (t / s).sqrt())),
            "Both weights lack a square root: sqrt(alpha_bar_s) at x_0 and sqrt(a) at x_t.",
        ),
        Mistake(
            _posterior(weigh=_scaled(lambda t, s: 1 - t, lambda t, s: 1 - t)),
            "The variance is right. The mean is not divided by 1 - alpha_bar_t.",
        ),
        Mistake(
            _posterior(weigh=_forgot_a, variance=lambda t, s: (1 - s) * (1 - t / s) / (2 - s - t / s)),
            "As a function of x_s the likelihood has the variance (1 - a) / a, not 1 - a: the 1 / a is missing.",
        ),
        Mistake(
            _posterior(shift=1),
            "You are one step off: entry t of the table belongs to x_t, so read alpha_bar[t] and alpha_bar[s].",
        ),
        Mistake(
            _posterior(shift=-1),
            "You are one step off: alpha_bar[0] is the clean image, so read alpha_bar[t] and alpha_bar[s].",
        ),
        Mistake(
            _posterior(always_one_step=True),
            "That is the step to t - 1. Use s: the signal kept is a = alpha_bar[t] / alpha_bar[s].",
        ),
        Mistake(
            _posterior(table=SCHEDULE.alpha),
            "You used alpha, the factor of one step, where alpha_bar, their product, belongs.",
        ),
        Mistake(
            _posterior(variance=lambda t, s: (1 - s) * (1 - t / s)),
            "The mean is right. The variance is not divided by 1 - alpha_bar_t.",
        ),
        Mistake(
            _posterior(
                weigh=lambda t, s: (s.sqrt() * (1 - s / t) / (1 - t), (s / t).sqrt() * (1 - s) / (1 - t)),
                variance=lambda t, s: (1 - s) * (1 - s / t) / (1 - t),
            ),
            "a is the signal kept from s to t, less than 1: alpha_bar_t / alpha_bar_s, and not upside down.",
        ),
    ]
    shape = (2, 3)
    cases = [
        (normal(seed, *shape), normal(seed + 1, *shape), t, s, SCHEDULE.alpha_bar)
        for seed, t, s in ((0, 20, 19), (2, 20, 5), (4, 7, 0))
    ]
    return grade(
        answer, _posterior(), mistakes, cases, "One formula for every stride, and exactly x_0 at s = 0."
    )
