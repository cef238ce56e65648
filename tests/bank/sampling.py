"""Answers to the exercises of the chapter on sampling."""

import math

import numpy as np
import torch

from ddpm_lib.exercises.steps import variance_drawn
from ddpm_lib.schedule import linear_schedule
from tests.bank import Answers, Bank

SCHEDULE = linear_schedule(50)
AB = SCHEDULE.alpha_bar
LEFT = float(AB[25])


def line_4(xt, eps, z, t, beta, ab):
    mean = (xt - beta[t] / (1 - ab[t]).sqrt() * eps) / (1 - beta[t]).sqrt()
    return mean + (t > 1) * beta[t].sqrt() * z


def through_x0(xt, eps, z, t, beta, ab):
    """The posterior's mean with the guess of x_0 put in."""
    x0, before = (xt - (1 - ab[t]).sqrt() * eps) / ab[t].sqrt(), ab[t - 1]
    mean = before.sqrt() * beta[t] * x0 + (1 - beta[t]).sqrt() * (1 - before) * xt
    return mean / (1 - ab[t]) + (beta[t].sqrt() * z if t > 1 else 0)


def by_numpy(xt, eps, z, t, beta, ab):
    b, a = float(beta[t]), float(ab[t])
    mean = (xt.numpy() - b / np.sqrt(1 - a) * eps.numpy()) / np.sqrt(1 - b)
    return mean if t == 1 else mean + np.sqrt(b) * z.numpy()


def grainy(xt, eps, z, t, beta, ab):
    return line_4(xt, eps, z, t, beta, ab) + (t == 1) * beta[t].sqrt() * z


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


def loop(x, z, guess, beta, ab, step=line_4):
    for t in range(50, 0, -1):
        x = step(x, guess(x, t), z[t], t, beta, ab)
    return x


def loop_while(x, z, guess, beta, ab):
    t = len(beta) - 1
    while t > 0:
        x = (x - beta[t] / (1 - ab[t]) ** 0.5 * guess(x, t)) / (1 - beta[t]) ** 0.5
        if t > 1:
            x = x + beta[t] ** 0.5 * z[t]
        t -= 1
    return x


def tilde(xt, eps, z, t, beta, ab):
    sd = (beta[t] * (1 - ab[t - 1]) / (1 - ab[t])).sqrt()
    return line_4(xt, eps, 0 * z, t, beta, ab) + sd * z


def before(xt, eps, z, t, beta, ab):
    return line_4(xt, eps, 0 * z, t, beta, ab) + beta[t - 1].sqrt() * z


def sigma(ab):
    return ((1 - ab) / ab).sqrt()


def euler(xt, eps, ab_t, ab_s):
    return xt / ab_t.sqrt() + (sigma(ab_s) - sigma(ab_t)) * eps


def fewest(v=0.25, eta=0.0):
    return next(n for n in range(90, 500) if abs(variance_drawn(v, n, eta) / v - 1) < 0.05)


BANK: Bank = {
    "check_left_over": Answers(
        right=[LEFT, round(LEFT, 3), math.prod(SCHEDULE.alpha[1:26].tolist())],
        wrong=[
            (1.0, "noise at every step"),
            (float(AB[50]), "no noise is added at any step"),
            (LEFT**0.5, "standard deviation"),
            (1 - LEFT, "what is lost"),
            (float(SCHEDULE.alpha[25]), "one step"),
            (float(AB[26]), "too many"),
            (float(AB[24]), "too few"),
        ],
    ),
    "check_line_4": Answers(
        right=[line_4, through_x0, by_numpy],
        wrong=[
            (grainy, "At t = 1 there is no noise"),
            (lambda xt, eps, z, t, b, ab: line_4(xt, eps, b[t].sqrt() * z, t, b, ab), "a standard deviation"),
            (lambda xt, eps, *p: line_4(xt, -eps, *p), "subtract it"),
            (lambda xt, eps, z, t, b, ab: line_4(xt, eps, z, t, b.roll(1), ab), "You read beta[t - 1]"),
            (
                lambda xt, eps, z, t, b, ab: line_4(xt, eps, z / (1 - b[t]).sqrt(), t, b, ab),
                "outside the brackets",
            ),
            (tilde, "beta-tilde"),
            (lambda xt, eps, z, *p: line_4(xt, eps, 0 * z, *p), "without z"),
            (
                lambda xt, eps, z, t, b, ab: (
                    (xt - b[t] / (1 - ab[t]).sqrt() * eps) / ab[t].sqrt() + (t > 1) * b[t].sqrt() * z
                ),
                "undoes all t steps",
            ),
            (lambda xt, eps, z, *p: line_4(xt, eps, torch.randn_like(z), *p), "draw none"),
        ],
    ),
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
    "check_loop": Answers(
        right=[loop, loop_while, lambda *p: loop(*p, step=through_x0)],
        wrong=[
            (lambda *p: loop(*p, step=grainy), "the picture is grainy"),
            (lambda *p: loop(*p, step=tilde), "beta-tilde"),
            (lambda x, z, *p: loop(x, 0 * z, *p), "dropped the noise at every step"),
            (lambda x, z, *p: loop(x, z.roll(1, 0), *p), "Leave z[t]"),
            (
                lambda *p: loop(
                    *p, step=lambda xt, e, z, t, b, ab: line_4(xt, e, z, t, b, ab) if t > 1 else xt
                ),
                "x_1",
            ),
            (lambda x, z, guess, b, ab: loop(x, z, lambda x, t: guess(x, t - 1), b, ab), "guess(x, t)"),
            (lambda x, z, guess, b, ab: loop(x, z.roll(1, 0), guess, b, ab, step=before), "Both belong"),
            (
                lambda *p: loop(*p, step=lambda xt, e, z, t, b, ab: line_4(xt, e, b[t].sqrt() * z, t, b, ab)),
                "root of beta[t]",
            ),
            (lambda *p: loop(*p, step=before), "as it was"),
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
