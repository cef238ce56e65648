"""Answers to the exercises of the chapter on sampling."""

import math

import numpy as np
import torch

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
            (
                lambda xt, eps, z, t, b, ab: line_4((1 - b[t]).sqrt() * xt, eps, z, t, b, ab),
                "divide the whole difference",
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
}
