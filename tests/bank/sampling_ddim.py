"""Answers to the exercises of the chapter on sampling: DDIM, its times and how many are enough."""

import math

import numpy as np
import torch

from ddpm_lib.exercises.steps import variance_drawn
from tests.bank import Answers, Bank


def eta_sigma(ab_t, ab_s, eta):
    return eta * ((1 - ab_s) / (1 - ab_t) * (1 - ab_t / ab_s)).sqrt()


def rest(ab_t, ab_s, sd):
    return (1 - ab_s - sd**2).sqrt()


def ddim(xt, eps, z, t, s, eta, ab, old=rest, sd=eta_sigma):
    x0 = (xt - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt()
    sd = sd(ab[t], ab[s], eta)
    return ab[s].sqrt() * x0 + old(ab[t], ab[s], sd) * eps + sd * z


def ddim_by_floats(xt, eps, z, t, s, eta, ab):
    a, b = float(ab[t]), float(ab[s])
    variance = eta**2 * (1 - b) / (1 - a) * (1 - a / b)
    x0 = (xt - math.sqrt(1 - a) * eps) / math.sqrt(a)
    return math.sqrt(b) * x0 + math.sqrt(1 - b - variance) * eps + math.sqrt(variance) * z


def ddim_from_the_posterior(xt, eps, z, t, s, eta, ab):
    """A step to s of which the deterministic one is corrected by what the new noise replaces."""
    still = ddim(xt, eps, z, t, s, 0.0, ab)
    sd = eta * ((1 - ab[s]) / (1 - ab[t]) * (1 - ab[t] / ab[s])).sqrt()
    return still + ((1 - ab[s] - sd**2).sqrt() - (1 - ab[s]).sqrt()) * eps + sd * z


def plain(xt, eps, t, s, ab):
    return ddim(xt, eps, 0 * xt, t, s, 0.0, ab)


def sigma(ab):
    return ((1 - ab) / ab).sqrt()


def euler(xt, eps, ab_t, ab_s):
    return xt / ab_t.sqrt() + (sigma(ab_s) - sigma(ab_t)) * eps


def fewest(v=0.25, eta=0.0):
    return next(n for n in range(90, 500) if abs(variance_drawn(v, n, eta) / v - 1) < 0.05)


BANK: Bank = {
    "check_ddim": Answers(
        right=[ddim, ddim_by_floats, ddim_from_the_posterior],
        wrong=[
            (lambda *p: ddim(*p, old=lambda t, s, sd: (1 - s).sqrt()), "must give way"),
            (lambda *p: ddim(*p, old=lambda t, s, sd: (1 - s).sqrt() - sd), "not the standard deviations"),
            (lambda *p: ddim(*p, old=lambda t, s, sd: (1 - s - sd).clamp(min=0).sqrt()), "stands sigma^2"),
            (
                lambda xt, e, z, t, s, eta, ab: ddim(xt, e, z, t, s, eta**0.5, ab),
                "multiplies the standard deviation",
            ),
            (lambda xt, e, z, t, s, eta, ab: ddim(xt, e, z, t, s, 1.0, ab), "left eta out"),
            (lambda xt, e, z, t, s, eta, ab: ddim(xt, e, z, t, s, 0.0, ab), "That is eta = 0"),
            (lambda xt, e, z, t, s, eta, ab: ddim(xt, e, z, t, t - 1, eta, ab), "to t - 1"),
            (lambda *p: ddim(*p, sd=lambda t, s, eta: eta * (1 - t / s).sqrt()), "You took beta"),
            (
                lambda xt, e, z, t, s, eta, ab: (
                    ddim(xt, e, z, t, s, eta, ab)
                    - ab[s].sqrt() * (xt - (1 - ab[t]).sqrt() * e) * (1 / ab[t].sqrt() - 1)
                ),
                "not divided by",
            ),
            (
                lambda *p: ddim(*p, sd=lambda t, s, eta: eta * (1 - s) / (1 - t) * (1 - t / s)),
                "beta-tilde itself",
            ),
            (
                lambda *p: ddim(*p, old=lambda t, s, sd: (1 - s - (sd**2 / p[5] if p[5] else 0 * sd)).sqrt()),
                "eta squared",
            ),
        ],
    ),
    "check_clean_end": Answers(
        right=[
            plain,
            lambda xt, eps, t, s, ab: (
                (ab[s] / ab[t]).sqrt() * xt
                + ((1 - ab[s]).sqrt() - (ab[s] / ab[t] * (1 - ab[t])).sqrt()) * eps
            ),
            lambda xt, eps, t, s, ab: euler(xt, eps, ab[t], ab[s]) * ab[s].sqrt(),
        ],
        wrong=[
            (lambda xt, eps, t, s, ab: xt, "nothing moves"),
            (lambda xt, eps, t, s, ab: plain(xt, eps, t, 0, ab), "where the walk ends"),
            (lambda xt, eps, t, s, ab: plain(xt, eps, t, t - 1, ab), "to t - 1"),
            (lambda xt, eps, t, s, ab: plain(xt, eps, t, 0, ab) * ab[s].sqrt(), "left the noise out"),
            (
                lambda xt, eps, t, s, ab: (
                    plain(xt, eps, t, s, ab) + ((1 - ab[t]).sqrt() - (1 - ab[s]).sqrt()) * eps
                ),
                "as it was",
            ),
            (
                lambda xt, eps, t, s, ab: (
                    plain(xt, eps, t, s, ab)
                    if s == 0
                    else plain(xt, eps, t, s, ab) + ((1 - ab[t]).sqrt() - (1 - ab[s]).sqrt()) * eps
                ),
                "exception",
            ),
            (
                lambda xt, eps, t, s, ab: plain(xt, eps, t, s, ab) + ((1 - ab[s]) - (1 - ab[s]).sqrt()) * eps,
                "lost its root",
            ),
        ],
    ),
    "check_euler": Answers(
        right=[
            euler,
            lambda xt, eps, t, s: (xt - (1 - t).sqrt() * eps) / t.sqrt() + (1 / s - 1).sqrt() * eps,
            lambda xt, eps, t, s: xt / math.sqrt(t) + (math.sqrt(1 / s - 1) - math.sqrt(1 / t - 1)) * eps,
        ],
        wrong=[
            (lambda xt, eps, t, s: xt / t.sqrt() - (sigma(s) - sigma(t)) * eps, "forward in sigma"),
            (lambda xt, eps, t, s: xt / t.sqrt() + ((1 - s).sqrt() - (1 - t).sqrt()) * eps, "not shrunk"),
            (lambda xt, eps, t, s: xt / t.sqrt() + ((1 - s) / s - (1 - t) / t) * eps, "1 / SNR"),
            (lambda xt, eps, t, s: xt + (sigma(s) - sigma(t)) * eps, "start there"),
            (lambda xt, eps, t, s: s.sqrt() * euler(xt, eps, t, s), "That is x_s"),
            (lambda xt, eps, t, s: xt / t.sqrt() + sigma(s) * eps, "length of the step"),
            (lambda xt, eps, t, s: xt / t + (sigma(s) - sigma(t)) * eps, "*root*"),
            (lambda xt, eps, t, s: (xt - (1 - t).sqrt() * eps) / t.sqrt(), "does not change with `s`"),
        ],
    ),
    "check_timesteps": Answers(
        right=[
            lambda T, steps: [round(T - T * i / steps) for i in range(steps + 1)],
            lambda T, steps: torch.linspace(T, 0, steps + 1).round(),
            lambda T, steps: np.rint(np.linspace(T, 0, steps + 1)).astype(int),
        ],
        wrong=[
            (lambda T, steps: list(range(T, -1, -(T // steps))), "does not end at 0"),
            (lambda T, steps: [round(T * i / steps) for i in range(steps + 1)], "Time runs backwards"),
            (lambda T, steps: [T * (steps - i) // steps for i in range(steps + 1)], "cut the decimals off"),
            (lambda T, steps: [round(T * (steps - i) / steps) for i in range(steps)], "6 ends"),
            (
                lambda T, steps: [round((T - 1) * (1 - i / steps)) for i in range(steps + 1)],
                "begins at T - 1",
            ),
            (lambda T, steps: np.linspace(T, 1, steps + 1).round(), "ends at 1"),
            (lambda T, steps: np.linspace(T, 0, steps + 1), "whole number"),
            (lambda T, steps: [math.ceil(T * (steps - i) / steps) for i in range(steps + 1)], "rounded up"),
            (lambda T, steps: [*(T - i * (T // steps) for i in range(steps)), 0], "last stride"),
        ],
    ),
    "check_enough_steps": Answers(
        right=[fewest(), float(fewest()), torch.tensor(fewest())],
        wrong=[
            (fewest() - 1, "still just over"),
            (fewest() + 1, "already"),
            (fewest(eta=1.0), "eta = 1"),
            (500, "all of them"),
            (fewest(v=0.5), "off by up to"),
            ("few", "made of numbers"),
            (
                next(n for n in range(20, 99) if abs(variance_drawn(0.25, n, 0.0) / 0.25 - 1) < 0.1),
                "for 10 %",
            ),
        ],
    ),
}
