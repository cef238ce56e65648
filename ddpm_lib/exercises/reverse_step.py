"""Graders of the chapter on the posterior: the mean of a step back."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.exercises.posterior import SCHEDULE


def check_mean_from_eps(answer: object) -> Verdict:
    """answer(xt, eps, beta_t, alpha_bar_t): the mean of q(x_{t-1} | x_t, x_0) in terms of eps."""

    def mean(xt: Tensor, eps: Tensor, beta_t: float, alpha_bar_t: float) -> Tensor:
        return (xt - beta_t / math.sqrt(1 - alpha_bar_t) * eps) / math.sqrt(1 - beta_t)

    mistakes = [
        Mistake(
            lambda xt, eps, b, ab: (xt - b / (1 - ab) * eps) / math.sqrt(1 - b),
            "eps has variance 1, and the noise in x_t is sqrt(1 - alpha_bar_t) eps: divide beta_t by that root.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - math.sqrt(b) / math.sqrt(1 - ab) * eps) / math.sqrt(1 - b),
            "You took sqrt(beta_t). The share of the noise is a ratio of variances, with beta_t itself.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - math.sqrt(b) * eps) / math.sqrt(1 - b),
            "You took out the noise of one step as if eps were its noise. eps is the noise of all t steps together.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - b / math.sqrt(1 - ab) * eps) * math.sqrt(1 - b),
            "You shrank the image once more. To go back, divide by sqrt(1 - beta_t).",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - b / math.sqrt(1 - ab) * eps) / (1 - b),
            "You divided by 1 - beta_t. One step shrinks by its square root.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - b / math.sqrt(1 - ab) * eps) / math.sqrt(ab),
            "You undid the shrinking of all t steps. One step back divides by sqrt(1 - beta_t) alone.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt + b / math.sqrt(1 - ab) * eps) / math.sqrt(1 - b),
            "You added the noise. A step back takes it away.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - math.sqrt(1 - ab) * eps) / math.sqrt(1 - b),
            "You took out all the noise. One step back takes only the share beta_t / (1 - alpha_bar_t) of it.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - math.sqrt(1 - ab) * eps) / math.sqrt(ab),
            "That is x_0, all t steps at once. One step back was asked for.",
        ),
        Mistake(
            lambda xt, eps, b, ab: xt - b / math.sqrt(1 - ab) * eps,
            "The shrinking of the step is never undone: divide by sqrt(1 - beta_t).",
        ),
        Mistake(
            lambda xt, eps, b, ab: xt / math.sqrt(1 - b) - b / math.sqrt(1 - ab) * eps,
            "Dividing by sqrt(1 - beta_t) concerns both terms: put brackets around them.",
        ),
        Mistake(
            lambda xt, eps, b, ab: (xt - (1 - b) / math.sqrt(1 - ab) * eps) / math.sqrt(1 - b),
            "The share of the noise holds beta_t; 1 - beta_t is alpha_t.",
        ),
    ]
    cases = [
        (normal(6, 5), normal(7, 5), float(SCHEDULE.beta[t]), float(SCHEDULE.alpha_bar[t]))
        for t in (2, 20, 45)
    ]
    praise = "Take out the last step's share of the noise, then undo its shrinking."
    return grade(answer, mean, mistakes, cases, praise)


def check_reverse_mean(answer: object) -> Verdict:
    """answer(xt, x0_hat, t, s, alpha_bar): the mean of p(x_s | x_t), at any stride (the debugging exercise)."""

    def mean(kept: Callable[[Tensor, int, int], Tensor]) -> Function:
        def function(xt: Tensor, x0_hat: Tensor, t: int, s: int, alpha_bar: Tensor) -> Tensor:
            ab_t, ab_s, a = alpha_bar[t], alpha_bar[s], kept(alpha_bar, t, s)
            image, noisy = ab_s.sqrt() * (1 - a) * x0_hat, a.sqrt() * (1 - ab_s) * xt
            return (image + noisy) / (1 - ab_t)

        return function

    def to_t_minus_1(xt: Tensor, x0_hat: Tensor, t: int, s: int, alpha_bar: Tensor) -> Tensor:
        return right(xt, x0_hat, t, t - 1, alpha_bar)  # type: ignore[no-any-return]

    right = mean(lambda ab, t, s: ab[t] / ab[s])
    mistakes = [
        Mistake(
            mean(lambda ab, t, s: ab[t] / ab[t - 1]),
            "This is the function as it was: right for s = t - 1 only. Which line does not look at s?",
        ),
        Mistake(
            to_t_minus_1,
            "Now it is consistent, and always goes to t - 1. It was asked for x_s.",
        ),
        Mistake(
            mean(lambda ab, t, s: ab[t - s]),
            "alpha_bar[t - s] belongs to the first t - s steps of the chain. The steps from s to t keep ab_t / ab_s.",
        ),
        Mistake(
            mean(lambda ab, t, s: ab[s] / ab[t]),
            "The signal kept from s to t is less than 1: divide ab_t by ab_s.",
        ),
        Mistake(
            mean(lambda ab, t, s: 1 - ab[t] / ab[s]),
            "That is the noise added from s to t. `a` is the signal kept, one minus it.",
        ),
        Mistake(
            lambda xt, x0_hat, t, s, ab: right(x0_hat, xt, t, s, ab),
            "The stride is right. x_t and x0_hat have changed places.",
        ),
        Mistake(
            lambda xt, x0_hat, t, s, ab: ab[s].sqrt() * x0_hat,
            "You left out the noise that x_t still holds: its term is missing.",
        ),
        Mistake(
            lambda xt, x0_hat, t, s, ab: x0_hat, "That is the guess of the image, the mean at s = 0 only."
        ),
        Mistake(
            mean(lambda ab, t, s: (ab[t] / ab[s]).sqrt()), "`a` is the ratio itself; its root is taken later."
        ),
        Mistake(
            mean(lambda ab, t, s: ab[t]), "That is the signal kept since t = 0. From s on it is ab_t / ab_s."
        ),
    ]
    cases = [(normal(8, 4), normal(9, 4), t, s, SCHEDULE.alpha_bar) for t, s in ((20, 19), (30, 24), (9, 0))]
    return grade(answer, right, mistakes, cases, "Every quantity of a step from t to s is made of t and s.")
