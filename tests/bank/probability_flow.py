"""Answers to the exercises of the chapter on the probability flow."""

import math

import numpy as np
import torch

from tests.bank import Answers, Bank


def extrapolate(x, before, p, q, n):
    return x + (n - q) / (2 * (q - p)) * (x - before)


def divergence(phi, s, d):
    return d * (1 - s**2) * math.sin(phi) * math.cos(phi) / (s**2 * math.cos(phi) ** 2 + math.sin(phi) ** 2)


def by_guesses(phi, s, d):
    """cos phi times the slope of eps_hat, minus sin phi times that of x0_hat."""
    variance = s**2 * math.cos(phi) ** 2 + math.sin(phi) ** 2
    eps, x0 = math.sin(phi) / variance, s**2 * math.cos(phi) / variance
    return d * (math.cos(phi) * eps - math.sin(phi) * x0)


def width(phi, s):
    return np.sqrt(s**2 * np.cos(phi) ** 2 + np.sin(phi) ** 2)


def by_growth(phi, s, d):
    """The rate at which the logarithm of the cloud's width grows, d times."""
    return d * (np.log(width(phi + 1e-5, s)) - np.log(width(phi - 1e-5, s))) / 2e-5


def heun(x, slope, tau, tau_next):
    h = tau_next - tau
    first = slope(x, tau)
    return x + h / 2 * (first + slope(x + h * first, tau_next))


def step(x, slope, tau, tau_next):
    return x + (tau_next - tau) * slope(x, tau)


BANK: Bank = {
    "check_steps_for_calls": Answers(
        right=[(33, 17, 33), [33, 17, 33], np.array([33, 17, 33])],
        wrong=[
            ((33, 16, 33), "two calls over"),
            ((33, 33, 33), "at both ends"),
            ((33, 66, 33), "fewer steps"),
            ((33, 17, 17), "keeps its last guess"),
            ((33, 17, 32), "a step as well"),
            ((17, 33, 17), "other way round"),
        ],
    ),
    "check_divergence": Answers(
        right=[divergence, by_guesses, by_growth],
        wrong=[
            (lambda phi, s, d: -divergence(phi, s, d), "spread on the way"),
            (lambda phi, s, d: divergence(phi, s, 1), "adds up all d"),
            (lambda phi, s, d: d**2 * divergence(phi, s, 1), "counts once"),
            (lambda phi, s, d: divergence(phi, s, d) * width(phi, s) ** 2, "over the variance of x"),
            (lambda phi, s, d: divergence(phi, s, d) * width(phi, s), "not by its root"),
            (lambda phi, s, d: d * math.sin(phi) / width(phi, s) ** 2, "divergence of eps_hat"),
            (lambda phi, s, d: d * s**2 * math.cos(phi) / width(phi, s) ** 2, "divergence of x0_hat"),
        ],
    ),
    "check_heun": Answers(
        right=[
            heun,
            lambda x, slope, p, q: (x + step(x, slope, p, q) + (q - p) * slope(step(x, slope, p, q), q)) / 2,
            lambda x, slope, p, q: x + (q - p) * torch.lerp(slope(x, p), slope(step(x, slope, p, q), q), 0.5),
        ],
        wrong=[
            (
                lambda x, slope, p, q: x + (q - p) * (slope(x, p) + slope(step(x, slope, p, q), p)) / 2,
                "clock has moved",
            ),
            (lambda x, slope, p, q: x + (q - p) * (slope(x, p) + slope(x, q)) / 2, "ask where it ends"),
            (step, "second slope is missing"),
            (lambda x, slope, p, q: x + (q - p) * slope(step(x, slope, p, q), q), "far end alone"),
            (lambda x, slope, p, q: 2 * heun(x, slope, p, q) - x, "twice too far"),
            (lambda x, slope, p, q: heun(x, slope, p, q) - x + step(x, slope, p, q), "where it began"),
        ],
    ),
    "check_extrapolate": Answers(
        right=[
            extrapolate,
            lambda x, b, p, q, n: x + (x - b) / (q - p) * (n - q) / 2,
            lambda x, b, p, q, n: b + (x - b) * ((q + n) / 2 - p) / (q - p),
        ],
        wrong=[
            (lambda x, b, p, q, n: x + (n - q) / (q - p) * (x - b), "end of the stride"),
            (lambda x, b, p, q, n: x + (q - p) / (2 * (n - q)) * (x - b), "Upside down"),
            (lambda x, b, p, q, n: extrapolate(b, x, p, q, n), "older guess"),
            (lambda x, b, p, q, n: 1.5 * x - 0.5 * b, "equal length"),
            (lambda x, b, p, q, n: (x + b) / 2, "the past"),
            (lambda x, b, p, q, n: 2 * x - extrapolate(x, b, p, q, n), "Backwards"),
        ],
    ),
    "check_shares_of_noise": Answers(
        right=[(0.2697, 0.1596), (0.2689, 0.1587), torch.tensor([0.27, 0.16])],
        wrong=[
            ((0.1596, 0.2697), "other order"),
            ((0.7303, 0.8404), "below e"),
            ((0.5, 0.5), "above 1"),
            ((0.119, 0.0228), "log sigma > 2"),
            ((0.228, 0.228), "share of the chain's times"),
            ((26.9, 15.9), "in percent"),
        ],
    ),
}
