"""Graders of the chapter on the probability flow: calls, divergence, Heun, extrapolation, where the training goes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.exercises.tolerance import nearest_each

Slope = Callable[[Tensor, float], Tensor]


def check_steps_for_calls(answer: object) -> Verdict:
    """answer: the steps that Euler, Heun and DPM-Solver++(2M) take down to t = 0 with 33 calls."""
    mistakes: list[tuple[object, str]] = [
        ((33, 16, 33), "Heun's last step, down to 0, asks once: 16 steps would leave two calls over."),
        ((33, 33, 33), "Heun's method asks twice in a step, at both ends."),
        ((33, 66, 33), "Two calls a step make fewer steps, not more."),
        ((33, 17, 17), "DPM-Solver++ keeps its last guess: it asks once in a step."),
        ((33, 17, 32), "The first step of DPM-Solver++ is DDIM's, and that is a step as well."),
        ((33, 17, 34), "The first step of DPM-Solver++ has no past, but it asks once like the others."),
        ((17, 33, 17), "The other way round: it is Heun's method that asks twice in a step."),
    ]
    return grade_value(answer, (33, 17, 33), mistakes, "Sixteen steps of two calls and a last of one.")


def check_divergence(answer: object) -> Verdict:
    """answer(phi, s, d): the divergence of v for data N(0, s^2 I) in d dimensions, the same at every x."""

    def variance(phi: float, s: float) -> float:
        return (s * math.cos(phi)) ** 2 + math.sin(phi) ** 2

    def right(phi: float, s: float, d: int) -> float:
        return d * math.sin(phi) * math.cos(phi) * (1 - s**2) / variance(phi, s)

    mistakes = [
        Mistake(
            lambda phi, s, d: -right(phi, s, d),
            "v is cos phi eps_hat - sin phi x0_hat: data narrower than the noise spread on the way to it.",
        ),
        Mistake(
            lambda phi, s, d: right(phi, s, 1),
            "That is the slope in one direction. The divergence adds up all d of them.",
        ),
        Mistake(lambda phi, s, d: d * right(phi, s, d), "Each of the d directions counts once, not d times."),
        Mistake(
            lambda phi, s, d: right(phi, s, d) * variance(phi, s),
            "The guesses are covariances *over the variance of x*, which is s^2 cos^2 + sin^2.",
        ),
        Mistake(
            lambda phi, s, d: right(phi, s, d) * variance(phi, s) ** 0.5,
            "Divide by the variance of x, not by its root.",
        ),
        Mistake(
            lambda phi, s, d: d * math.sin(phi) / variance(phi, s),
            "That is the divergence of eps_hat. v is cos phi eps_hat - sin phi x0_hat.",
        ),
        Mistake(
            lambda phi, s, d: d * s**2 * math.cos(phi) / variance(phi, s),
            "That is the divergence of x0_hat. v is cos phi eps_hat - sin phi x0_hat.",
        ),
        Mistake(
            lambda phi, s, d: d * math.sin(phi) * math.cos(phi) * (1 + s**2) / variance(phi, s),
            "In v the image is taken off: cos phi eps_hat *minus* sin phi x0_hat.",
        ),
    ]
    cases = [(0.4, 0.5, 2), (1.1, 2.0, 3), (0.7, 0.1, 5)]
    praise = "Added up over phi it is -d log s: how much more room, in nats, the noise has than the data."
    return grade(answer, right, mistakes, cases, praise)


def check_heun(answer: object) -> Verdict:
    """answer(x, slope, tau, tau_next): one step of Heun's method; slope(x, tau) is a function."""

    def right(x: Tensor, slope: Slope, tau: float, tau_next: float) -> Tensor:
        h, first = tau_next - tau, slope(x, tau)
        return x + h * (first + slope(x + h * first, tau_next)) / 2

    def euler(x: Tensor, slope: Slope, tau: float, tau_next: float) -> Tensor:
        return x + (tau_next - tau) * slope(x, tau)

    def mean(x: Tensor, slope: Slope, at: tuple[Tensor, float], tau: float, tau_next: float) -> Tensor:
        return x + (tau_next - tau) * (slope(x, tau) + slope(*at)) / 2

    mistakes = [
        Mistake(
            lambda x, slope, p, q: mean(x, slope, (euler(x, slope, p, q), p), p, q),
            "At the far end the clock has moved, too: ask there at tau_next.",
        ),
        Mistake(
            lambda x, slope, p, q: mean(x, slope, (x, q), p, q),
            "The second slope is that at the far end: take Euler's step first, and ask where it ends.",
        ),
        Mistake(euler, "That is Euler's step: the second slope is missing."),
        Mistake(
            lambda x, slope, p, q: x + (q - p) * slope(euler(x, slope, p, q), q),
            "That is the slope of the far end alone: take the mean of both.",
        ),
        Mistake(
            lambda x, slope, p, q: 2 * right(x, slope, p, q) - x,
            "The sum of both slopes goes twice too far: take their mean.",
        ),
        Mistake(
            lambda x, slope, p, q: (
                euler(x, slope, p, q) + (q - p) * (slope(x, p) + slope(euler(x, slope, p, q), q)) / 2
            ),
            "Heun's method repeats the step from where it began, not from where Euler's step ended.",
        ),
        Mistake(
            lambda x, slope, p, q: x + (q - p) * slope(x + (q - p) / 2 * slope(x, p), (p + q) / 2),
            "That is the midpoint method, of order 2 as well. Heun's takes the mean of the slopes at both ends.",
        ),
    ]
    draw = torch.Generator().manual_seed(5)
    x = torch.randn(3, 4, generator=draw, dtype=torch.float64)
    cases: list[tuple[Tensor, Slope, float, float]] = [
        (x, lambda x, tau: x.sin() + tau * x, 0.8, 0.5),
        (x, lambda x, tau: x * tau**2 + 1, 0.4, 0.1),
    ]
    return grade(answer, right, mistakes, cases, "Both ends have a say, each at its own time.")


def check_extrapolate(answer: object) -> Verdict:
    """answer(x0_hat, before, lam_before, lam, lam_next): x0_hat in the middle of the next stride."""

    def right(x0_hat: Tensor, before: Tensor, lam_before: float, lam: float, lam_next: float) -> Tensor:
        return x0_hat + (lam_next - lam) / (2 * (lam - lam_before)) * (x0_hat - before)

    mistakes = [
        Mistake(
            lambda x, b, p, q, n: x + (n - q) / (q - p) * (x - b),
            "That is the guess at the end of the stride: the middle is half as far.",
        ),
        Mistake(
            lambda x, b, p, q, n: x + (q - p) / (2 * (n - q)) * (x - b),
            "Upside down: the longer the coming stride, the further it is to its middle.",
        ),
        Mistake(
            lambda x, b, p, q, n: right(b, x, p, q, n), "The other way round: `before` is the older guess."
        ),
        Mistake(lambda x, b, p, q, n: x + (x - b) / 2, "Right for strides of equal length; these are not."),
        Mistake(
            lambda x, b, p, q, n: (x + b) / 2,
            "Between the two guesses is the past: go on beyond the newer one.",
        ),
        Mistake(
            lambda x, b, p, q, n: x - (n - q) / (2 * (q - p)) * (x - b),
            "Backwards: add the change, do not take it off.",
        ),
    ]
    draw = torch.Generator().manual_seed(3)
    x0_hat, before = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    cases = [(x0_hat, before, -1.0, -0.4, 0.8), (x0_hat, before, 0.0, 1.0, 1.5)]
    return grade(answer, right, mistakes, cases, "A straight line through two guesses, read at the middle.")


def check_shares_of_noise(answer: object) -> Verdict:
    """answer: the shares of the times with sigma above e, by the logistic and by the lognormal law (T = 500)."""
    mistakes: list[tuple[object, str]] = [
        ((0.159, 0.269), "Both are right, in the other order."),
        ((0.731, 0.841), "These are the shares below e: take the rest."),
        ((0.5, 0.5), "That is the share above 1: log sigma > 0. Ask for log sigma > 1."),
        ((0.119, 0.0228), "That is log sigma > 2: the logarithm of e is 1."),
        ((0.228, 0.228), "That is the share of the chain's times: add up the laws' weights."),
    ]
    known = [(0.2689, 0.1587), *(value for value, _ in mistakes)]
    answer = nearest_each(answer, list(zip(*known, strict=True)), 0.02)
    return grade_value(
        answer,
        (0.2689, 0.1587),
        mistakes,
        "Flow matching spends more of its training where little can be seen.",
    )
