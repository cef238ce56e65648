"""Answers to the exercises of the chapter on few steps."""

import math

import numpy as np
import torch

from tests.bank import Answers, Bank


def land(x, xs, t, s):
    r = ((1 - s) / (1 - t)) ** 0.5
    return (xs - r * x) / (s**0.5 - r * t**0.5)


def by_angles(x, xs, t, s):
    a, b = math.acos(t**0.5), math.acos(s**0.5)
    return (math.sin(a) * xs - math.sin(b) * x) / math.sin(a - b)


def two(step, land, x, t, m, s):
    return land(x, t, s, step(step(x, t, m), m, s))


def in_lines(step, land, x, t, m, s):
    middle = step(x, t, m)
    end = step(middle, m, s)
    return land(x, t, s, end)


def mean(ends, weights):
    return (weights[:, None] * ends).sum(0) / weights.sum()


BANK: Bank = {
    "check_spread_kept": Answers(
        right=[(0.0, math.cos(math.pi / 6) ** 3), (0, 0.65), np.array([0.0, 0.6495])],
        wrong=[
            ((0.0, 0.866), "all three multiply"),
            ((0.0, 0.4219), "its root"),
            ((0.0, 2.598), "take a power"),
            ((0.0, 0.125), "90 degrees, not 180"),
            ((1.0, 0.6495), "its cosine is 0"),
            ((1.0, 1.0), "infinitely many"),
            ((0.0, 1 - math.pi**2 / 24), "take the cosine itself"),
        ],
    ),
    "check_landing": Answers(
        right=[land, by_angles, lambda x, xs, t, s: land(x.numpy(), xs.numpy(), t, s)],
        wrong=[
            (
                lambda x, xs, t, s: (xs - (1 - s) / (1 - t) * x) / (s**0.5 - (1 - s) / (1 - t) * t**0.5),
                "root of the ratio",
            ),
            (lambda x, xs, t, s: (xs - ((1 - s) / (1 - t)) ** 0.5 * x) / s**0.5, "holds x_0 as well"),
            (
                lambda x, xs, t, s: (
                    (xs - ((1 - s) / (1 - t)) ** 0.5 * x) / (s - ((1 - s) / (1 - t)) ** 0.5 * t)
                ),
                "roots of the alpha_bars",
            ),
            (lambda x, xs, t, s: xs, "only at s = 0"),
            (lambda x, xs, t, s: (xs - (1 - s) ** 0.5 * x) / s**0.5, "not pure noise"),
            (
                lambda x, xs, t, s: (
                    (xs - ((1 - s) / (1 - t)) ** 0.5 * x) / (s**0.5 + ((1 - s) / (1 - t)) ** 0.5 * t**0.5)
                ),
                "the sign",
            ),
        ],
    ),
    "check_two_in_one": Answers(
        right=[two, in_lines, lambda f, g, x, t, m, s: g(x, t, s, f(f(x, t, m), m, s))],
        wrong=[
            (lambda f, g, x, t, m, s: f(f(x, t, m), m, s), "still noisy"),
            (lambda f, g, x, t, m, s: g(x, t, s, f(x, t, s)), "one long step"),
            (lambda f, g, x, t, m, s: g(f(x, t, m), m, s, f(f(x, t, m), m, s)), "stands at x_t"),
            (lambda f, g, x, t, m, s: g(x, t, s, f(x, t, m)), "second step of the teacher"),
            (lambda f, g, x, t, m, s: g(x, t, s, f(f(x, t, m), t, s)), "the first one ended"),
            (lambda f, g, x, t, m, s: g(x, t, m, f(f(x, t, m), m, s)), "all the way"),
            (lambda f, g, x, t, m, s: g(x, m, s, f(f(x, t, m), m, s)), "as noisy as at t"),
        ],
    ),
    "check_halvings": Answers(
        right=[(6, 2), [6, 2], torch.tensor([6, 2])],
        wrong=[
            ((7, 2), "the arrows"),
            ((5, 2), "is a round as well"),
            ((63, 2), "halves what is left"),
            ((6, 64), "takes two steps"),
            ((6, 1), "Two steps of the teacher"),
            ((32, 2), "How many more"),
        ],
    ),
    "check_pays_off": Answers(
        right=[3879, np.int64(3879), math.ceil(6000 * 64 / 99)],
        wrong=[
            (3840, "99 are saved"),
            (7837, "two passes"),
            (7680, "two passes"),
            (61, "one of 64 images"),
            (384000, "passes that a digit saves"),
            (6000, "That is the budget"),
        ],
    ),
    "check_mean_of_ends": Answers(
        right=[
            mean,
            lambda e, w: w @ e / w.sum(),
            lambda e, w: np.average(e.numpy(), axis=0, weights=w.numpy()),
        ],
        wrong=[
            (lambda e, w: e.mean(0), "weighted by how often"),
            (lambda e, w: e[w.argmax()], "least at the mean"),
            (lambda e, w: w @ e, "divide by their sum"),
            (lambda e, w: e.median(0).values, "absolute error"),
            (lambda e, w: w @ e / len(w), "not by their number"),
        ],
    ),
}
