"""Graders of the chapter on sampling: DDIM."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.forward import normal
from ddpm_lib.exercises.grading import Mistake, Verdict, grade
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(50)  # of all exercises in that chapter but the last

Sigma = Callable[[Tensor, Tensor, float], Tensor]
Entry = Callable[[Tensor, int, int], Tensor]  # (alpha_bar, t, s) -> one of the table's entries


def _sigma(ab_t: Tensor, ab_s: Tensor, eta: float) -> Tensor:
    return eta * ((1 - ab_s) / (1 - ab_t) * (1 - ab_t / ab_s)).sqrt()


def _ddim(
    sigma: Sigma = _sigma,
    root: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda t, s, sd: (1 - s - sd**2).sqrt(),
    image: Callable[[Tensor, Tensor], Tensor] = lambda t, s: s.sqrt(),
    noise: Callable[[Tensor], Tensor] = lambda sd: sd,
) -> Function:
    """DDIM, right or with a mistake in one of its parts."""

    def step(xt: Tensor, eps_hat: Tensor, z: Tensor, t: int, s: int, eta: float, alpha_bar: Tensor) -> Tensor:
        ab_t, ab_s = alpha_bar[t], alpha_bar[s]
        x0_hat = (xt - (1 - ab_t).sqrt() * eps_hat) / ab_t.sqrt()
        sd = sigma(ab_t, ab_s, eta)
        return image(ab_t, ab_s) * x0_hat + root(ab_t, ab_s, sd) * eps_hat + noise(sd) * z

    return step


def check_ddim(answer: object) -> Verdict:
    """answer(xt, eps_hat, z, t, s, eta, alpha_bar): x_s of DDIM, without clipping."""

    mistakes = [
        Mistake(
            _ddim(root=lambda t, s, sd: (1 - s).sqrt()),
            "The two noises together have more than the variance 1 - alpha_bar_s: the weight of eps_hat must give way "
            "to sigma^2.",
        ),
        Mistake(
            _ddim(root=lambda t, s, sd: (1 - t).clamp(min=0).sqrt()),
            "The weight of eps_hat belongs to time s: 1 - alpha_bar_s - sigma^2.",
        ),
        Mistake(
            _ddim(root=lambda t, s, sd: (1 - s - sd).clamp(min=0).sqrt()),
            "Under the root stands sigma^2, a variance.",
        ),
        Mistake(
            _ddim(noise=lambda sd: sd**2), "z is multiplied by sigma, a standard deviation, not by sigma^2."
        ),
        Mistake(
            _ddim(sigma=lambda t, s, eta: math.sqrt(eta) * _sigma(t, s, 1.0)),
            "eta multiplies the standard deviation, so eta^2 multiplies the variance.",
        ),
        Mistake(
            _ddim(sigma=lambda t, s, eta: _sigma(t, s, 1.0)), "You left eta out: sigma is eta times the root."
        ),
        Mistake(
            _ddim(sigma=lambda t, s, eta: 0 * t),
            "That is eta = 0. With eta the step has noise of its own: sigma z.",
        ),
        Mistake(
            _ddim(image=lambda t, s: (s * t).sqrt()),
            "The guess of the image is not divided by sqrt(alpha_bar_t) yet.",
        ),
        Mistake(
            _ddim(image=lambda t, s: t.sqrt()),
            "The image must arrive with the weight of time s, sqrt(alpha_bar_s).",
        ),
        Mistake(
            _ddim(root=lambda t, s, sd: (1 - s).sqrt() - sd),
            "The variances add up to 1 - alpha_bar_s, not the standard deviations: subtract sigma^2 under the root.",
        ),
        Mistake(
            _ddim(
                sigma=lambda t, s, eta: eta * (1 - t / s).sqrt(),
                root=lambda t, s, sd: (1 - s - sd**2).clamp(min=0).sqrt(),
            ),
            "You took beta, the variance of the forward step. eta is measured in units of beta-tilde.",
        ),
        Mistake(
            _ddim(sigma=lambda t, s, eta: eta * (1 - t / s).sqrt(), root=lambda t, s, sd: (1 - s).sqrt()),
            "You took the variance of the forward step, and left it out under the root.",
        ),
        Mistake(
            lambda xt, eps, z, t, s, eta, ab: _ddim()(xt, eps, z, t, t - 1, eta, ab),
            "That is the step to t - 1. A stride ends at s.",
        ),
        Mistake(
            _ddim(sigma=lambda t, s, eta: eta * _sigma(t, s, 1.0) ** 2),
            "sigma is the root of beta-tilde, times eta: you took beta-tilde itself.",
        ),
        Mistake(
            lambda xt, eps, z, t, s, eta, ab: _ddim(
                root=lambda ab_t, ab_s, sd: (1 - ab_s - (sd**2 / eta if eta else 0 * sd)).sqrt()
            )(xt, eps, z, t, s, eta, ab),
            "Under the root stands sigma^2 as a whole, with eta squared.",
        ),
    ]
    cases = [
        (normal(t, 5), normal(t + 1, 5), normal(t + 2, 5), t, s, eta, SCHEDULE.alpha_bar)
        for t, s, eta in ((40, 30, 0.5), (20, 19, 1.0), (25, 10, 0.2), (30, 0, 0.0))
    ]
    praise = "One formula from Algorithm 2 at eta = 1 to no noise at eta = 0."
    return grade(answer, _ddim(), mistakes, cases, praise)


def check_clean_end(answer: object) -> Verdict:
    """answer(xt, eps_hat, t, s, alpha_bar): x_s of DDIM with eta = 0 (the debugging exercise on grain)."""

    def step(image: Entry, noise: Entry) -> Function:
        def function(xt: Tensor, eps_hat: Tensor, t: int, s: int, alpha_bar: Tensor) -> Tensor:
            ab_t = alpha_bar[t]
            x0_hat = (xt - (1 - ab_t).sqrt() * eps_hat) / ab_t.sqrt()
            return image(alpha_bar, t, s).sqrt() * x0_hat + (1 - noise(alpha_bar, t, s)).sqrt() * eps_hat

        return function

    def at_t(alpha_bar: Tensor, t: int, s: int) -> Tensor:
        return alpha_bar[t]

    def at_s(alpha_bar: Tensor, t: int, s: int) -> Tensor:
        return alpha_bar[s]

    mistakes = [
        Mistake(
            step(at_s, at_t),
            "This is the step as it was. Try it at s = 0: how much of eps_hat is in the finished picture?",
        ),
        Mistake(
            step(at_t, at_s),
            "The noise is right now, but the image has the weight of time t: at s = 0 it comes out faint.",
        ),
        Mistake(step(at_t, at_t), "That is x_t again: nothing moves. Both weights belong to time s."),
        Mistake(
            step(at_s, lambda ab, t, s: ab[t - 1]),
            "Right for single steps only: a stride ends at s, not at t - 1.",
        ),
        Mistake(
            step(at_s, lambda ab, t, s: 0 * ab[0] + 1),
            "You left the noise out altogether: x_s must hold noise of variance 1 - alpha_bar_s, except at s = 0.",
        ),
        Mistake(
            lambda xt, eps, t, s, ab: step(at_s, at_s)(xt, eps, t, 0, ab),
            "That is x0_hat, where the walk ends. The step ends at s.",
        ),
        Mistake(
            lambda xt, eps, t, s, ab: step(at_s, at_s)(xt, eps, t, t - 1, ab),
            "That is the step to t - 1. A stride ends at s.",
        ),
        Mistake(
            lambda xt, eps, t, s, ab: step(at_s, at_s if s == 0 else at_t)(xt, eps, t, s, ab),
            "The end is clean now, but only because s = 0 is an exception. What is wrong there is wrong in every step.",
        ),
        Mistake(
            lambda xt, eps, t, s, ab: step(at_s, lambda ab, t, s: 1 - (1 - ab[s]) ** 2)(xt, eps, t, s, ab),
            "The noise has lost its root: its weight is sqrt(1 - alpha_bar_s).",
        ),
    ]
    cases = [
        (normal(t, 5), normal(t + 1, 5), t, s, SCHEDULE.alpha_bar) for t, s in ((30, 20), (20, 19), (5, 0))
    ]
    praise = "Both weights belong to the time at which the step arrives, and at s = 0 no noise is left."
    return grade(answer, step(at_s, at_s), mistakes, cases, praise)
