"""Answers to the exercises of the chapter on the posterior."""

import math

import numpy as np
import torch

from ddpm_lib import gaussian
from ddpm_lib.schedule import linear_schedule
from tests.bank import Answers, Bank

SCHEDULE = linear_schedule(50)


def parts(ab, t, s):
    a = ab[t] / ab[s]
    return a, ab[s].sqrt() * (1 - a) / (1 - ab[t]), a.sqrt() * (1 - ab[s]) / (1 - ab[t])


def posterior(x0, xt, t, s, ab, second=lambda a, ab_t, ab_s: (1 - ab_s) * (1 - a) / (1 - ab_t)):
    a, at_x0, at_xt = parts(ab, t, s)
    return at_x0 * x0 + at_xt * xt, second(a, ab[t], ab[s])


def by_precision(x0, xt, t, s, ab):
    """The prior times the likelihood; at s = 0 the prior is a point."""
    a = ab[t] / ab[s]
    if s == 0:
        return x0, torch.zeros(())
    return gaussian.product(ab[s].sqrt() * x0, 1 - ab[s], xt / a.sqrt(), (1 - a) / a)


def by_regression(x0, xt, t, s, ab):
    """From the covariance of x_s and x_t given x_0; the variance in the shape of the images."""
    gain = (ab[t] / ab[s]).sqrt() * (1 - ab[s]) / (1 - ab[t])
    variance = 1 - ab[s] - gain**2 * (1 - ab[t])
    return ab[s].sqrt() * x0 + gain * (xt - ab[t].sqrt() * x0), variance.expand(x0.shape)


def forgot_one_over_a(x0, xt, t, s, ab):
    a = ab[t] / ab[s]
    if s == 0:
        return x0, torch.zeros(())
    return gaussian.product(ab[s].sqrt() * x0, 1 - ab[s], xt / a.sqrt(), 1 - a)


def upside_down(x0, xt, t, s, ab):
    a = ab[s] / ab[t]
    mean = ab[s].sqrt() * (1 - a) * x0 + a.sqrt() * (1 - ab[s]) * xt
    return mean / (1 - ab[t]), (1 - ab[s]) * (1 - a) / (1 - ab[t])


def mean_from_eps(xt, eps, beta, ab):
    return (xt - beta / (1 - ab) ** 0.5 * eps) / (1 - beta) ** 0.5


def through_x0(xt, eps, beta, ab):
    x0, before = (xt - math.sqrt(1 - ab) * eps) / math.sqrt(ab), ab / (1 - beta)
    return (before**0.5 * beta * x0 + (1 - beta) ** 0.5 * (1 - before) * xt) / (1 - ab)


def mean(xt, x0_hat, t, s, ab):
    return posterior(x0_hat, xt, t, s, ab)[0]


BANK: Bank = {
    "check_narrower": Answers(
        right=[("likelihood", "prior"), ["Likelihood", " PRIOR "], np.array(["likelihood", "prior"])],
        wrong=[
            (("prior", "likelihood"), "other way round"),
            (("prior", "prior"), "s = 10 is right"),
            (("likelihood", "likelihood"), "s = 19 is right"),
            ((True, False), "is neither"),
            ("likelihood", "2 numbers"),
        ],
    ),
    "check_shares": Answers(
        right=[
            lambda s, t: (1 - t / s, t / s),
            lambda s, t: np.array([s - t, t]) / s,
            lambda s, t: [(s - t) / s, 1 - (s - t) / s],
        ],
        wrong=[
            (lambda s, t: (t / s, 1 - t / s), "You swapped the two"),
            (lambda s, t: (1 - (t / s) ** 0.5, (t / s) ** 0.5), "its square"),
            (lambda s, t: (s / (s + t), t / (s + t)), "no precisions"),
            (lambda s, t: (1 - s / t, s / t), "turned the ratio round"),
            (lambda s, t: (t / s, t / s), "add to 1"),
            (lambda s, t: t / s, "2 numbers in a tuple"),
            (lambda s, t: (1 - (t / s) ** 2, (t / s) ** 2), "squared the ratio"),
            (
                lambda s, t: (1 - (1 + 1 / s) / (1 + 1 / t), (1 + 1 / s) / (1 + 1 / t)),
                "ratio of the alpha_bars",
            ),
        ],
    ),
    "check_posterior": Answers(
        right=[posterior, by_precision, by_regression],
        wrong=[
            (lambda *p: posterior(*p, second=lambda a, ab_t, ab_s: 1 - a), "that of the forward step"),
            (lambda *p: (posterior(*p)[0], posterior(*p)[1] ** 0.5), "the standard deviation"),
            (lambda x0, xt, t, s, ab: posterior(xt, x0, t, s, ab), "swapped the weights"),
            (lambda x0, xt, t, s, ab: posterior(x0, xt, t, t - 1, ab), "the step to t - 1"),
            (lambda x0, xt, t, s, ab: posterior(x0, xt, t + 1, s + 1, ab), "one step off"),
            (lambda x0, xt, t, s, ab: posterior(x0, xt, t, s, SCHEDULE.alpha), "You used alpha,"),
            (lambda *p: posterior(*p)[::-1], "wrong order"),
            (lambda *p: posterior(*p, second=lambda a, ab_t, ab_s: (1 - ab_s) * (1 - a)), "not divided"),
            (forgot_one_over_a, "the 1 / a is missing"),
            (upside_down, "not upside down"),
            (lambda *p: (p[0], posterior(*p)[1]), "`x0` itself"),
        ],
    ),
    "check_mean_from_eps": Answers(
        right=[mean_from_eps, through_x0, lambda *p: mean_from_eps(p[0].numpy(), p[1].numpy(), *p[2:])],
        wrong=[
            (lambda xt, eps, b, ab: (xt - b / (1 - ab) * eps) / (1 - b) ** 0.5, "divide beta_t by that root"),
            (lambda xt, eps, b, ab: (xt - b**0.5 * eps) / (1 - b) ** 0.5, "noise of all t steps"),
            (lambda xt, eps, b, ab: mean_from_eps(xt, -eps, b, ab), "You added the noise"),
            (lambda xt, eps, b, ab: mean_from_eps(xt, eps, b, ab) * (1 - b), "shrank the image once more"),
            (lambda xt, eps, b, ab: (xt - (1 - ab) ** 0.5 * eps) / ab**0.5, "That is x_0"),
            (lambda xt, eps, b, ab: xt - b / (1 - ab) ** 0.5 * eps, "never undone"),
            (lambda xt, eps, b, ab: xt / (1 - b) ** 0.5 - b / (1 - ab) ** 0.5 * eps, "both terms"),
            (
                lambda xt, eps, b, ab: (xt - (1 - b) / (1 - ab) ** 0.5 * eps) / (1 - b) ** 0.5,
                "1 - beta_t is alpha_t",
            ),
            (lambda xt, eps, b, ab: (xt - b * eps) / (1 - b) ** 0.5, "does not change with `ab`"),
        ],
    ),
}
