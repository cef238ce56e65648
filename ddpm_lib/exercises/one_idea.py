"""Graders of the chapter on one idea's many names: clocks, guesses, scores, Langevin."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value


def check_clocks(answer: object) -> Verdict:
    """answer: (sigma, tau, the factor from x_t to x_tau) where alpha_bar_t = 0.8."""
    mistakes: list[tuple[object, str]] = [
        ((0.25, 0.2, 0.8944), "0.25 is the variance of the noise beside a whole image: sigma is its root."),
        ((2.0, 0.6667, 0.7454), "That is the image over the noise: sigma is the noise over the image."),
        ((0.5, 0.5, 0.7454), "tau is the noise's share of both: sigma / (1 + sigma)."),
        (
            (0.5, 0.3333, 1.3416),
            "That factor leads from x_tau to x_t: divide a of the new path by that of the old.",
        ),
        ((0.5, 0.3333, 0.6667), "That is a' alone: divide it by a, the root of alpha_bar."),
        ((0.5, 0.6667, 0.7454), "That is 1 - tau, the image's share."),
        (
            (0.4472, 0.309, 0.7725),
            "0.4472 is the noise in x_t; beside an image that is not shrunk it is more.",
        ),
    ]
    return grade_value(
        answer, (0.5, 1 / 3, (2 / 3) / 0.8**0.5), mistakes, "Half as much noise as image, a third of the sum."
    )


def check_velocity_from_eps(answer: object) -> Verdict:
    """answer(x_tau, tau, eps_hat): the velocity on the straight path; tau is a number below 1."""

    def right(x_tau: Tensor, tau: float, eps_hat: Tensor) -> Tensor:
        return (eps_hat - x_tau) / (1 - tau)

    mistakes = [
        Mistake(
            lambda x, tau, eps: (x - eps) / (1 - tau),
            "tau grows towards the noise: eps - x_0, not x_0 - eps.",
        ),
        Mistake(lambda x, tau, eps: eps - x, "x_tau is not the image yet: solve the path for x_0 first."),
        Mistake(
            lambda x, tau, eps: (x - tau * eps) / (1 - tau),
            "That is x0_hat. The velocity is eps_hat - x0_hat.",
        ),
        Mistake(
            lambda x, tau, eps: eps - (x - tau * eps),
            "The image's share of x_tau is 1 - tau: divide by it to get x0_hat.",
        ),
        Mistake(
            lambda x, tau, eps: eps - (x - tau * eps) / tau,
            "What is left without the noise was shrunk by 1 - tau: divide by that.",
        ),
        Mistake(
            lambda x, tau, eps: (eps - x) / tau, "Divide by the image's share, 1 - tau, not by the noise's."
        ),
    ]
    draw = torch.Generator().manual_seed(0)
    x_tau, eps = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    cases = [(x_tau, 0.2, eps), (x_tau, 0.7, eps)]
    return grade(answer, right, mistakes, cases, "A network that answers eps_hat is a velocity field.")


def check_tweedie(answer: object) -> Verdict:
    """answer(u, sigma, score): E[x_0 | u] for u = x_0 + sigma eps, from the score of the density of u."""

    def right(u: Tensor, sigma: float, score: Tensor) -> Tensor:
        return u + sigma**2 * score

    mistakes = [
        Mistake(
            lambda u, sigma, score: u - sigma**2 * score,
            "The score points to where points are likelier: add it.",
        ),
        Mistake(
            lambda u, sigma, score: u + sigma * score,
            "Units: the score is one over a length, so it takes sigma^2.",
        ),
        Mistake(
            lambda u, sigma, score: u + score, "How far to go depends on the noise: sigma^2 times the score."
        ),
        Mistake(
            lambda u, sigma, score: (u + sigma**2 * score) / math.sqrt(1 + sigma**2),
            "The image in u was never shrunk: there is nothing to divide by.",
        ),
        Mistake(lambda u, sigma, score: sigma**2 * score, "That is how far to go. From where?"),
        Mistake(
            lambda u, sigma, score: u + (1 - 1 / (1 + sigma**2)) * score,
            "1 - alpha_bar belongs to x_t. The noise in u has the variance sigma^2.",
        ),
        Mistake(lambda u, sigma, score: -sigma * score, "That is eps_hat; take sigma times it from u."),
    ]
    draw = torch.Generator().manual_seed(1)
    u, score = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    return grade(
        answer, right, mistakes, [(u, 0.5, score), (u, 3.0, score)], "Tweedie's formula, EDM's denoiser."
    )


def check_langevin(answer: object) -> Verdict:
    """answer(x, score, size, z): one step of Langevin dynamics that keeps the density of that score."""

    def right(x: Tensor, score: Tensor, size: float, z: Tensor) -> Tensor:
        return x + size * score + math.sqrt(2 * size) * z

    mistakes = [
        Mistake(
            lambda x, score, size, z: x + size * score + size**0.5 * z,
            "Too little noise: the points gather at the peaks. Its variance is twice the size of the step.",
        ),
        Mistake(
            lambda x, score, size, z: x + size * score + 2 * size * z,
            "2 size is the variance of the noise: multiply z by its root.",
        ),
        Mistake(
            lambda x, score, size, z: x + size * score + 2 * size**0.5 * z,
            "The 2 belongs under the root: its variance is twice the size of the step.",
        ),
        Mistake(
            lambda x, score, size, z: x - size * score + (2 * size) ** 0.5 * z,
            "Downhill: the score points to where points are likelier. Add it.",
        ),
        Mistake(lambda x, score, size, z: x + size * score, "Without noise all points end on the peaks."),
        Mistake(
            lambda x, score, size, z: x + (2 * size) ** 0.5 * z,
            "Noise alone spreads the points: the score is missing.",
        ),
        Mistake(
            lambda x, score, size, z: x + size / 2 * score + size**0.5 * z,
            "That is a step of half this size: here the score is multiplied by `size` itself.",
        ),
    ]
    draw = torch.Generator().manual_seed(2)
    x, score, z = torch.randn(3, 3, 4, generator=draw, dtype=torch.float64)
    return grade(
        answer, right, mistakes, [(x, score, 0.01, z), (x, score, 0.3, z)], "Up the hill, and shaken."
    )


def check_score_from_velocity(answer: object) -> Verdict:
    """answer(x_tau, tau, velocity): the score of the density of x_tau; tau is a number in (0, 1)."""

    def right(x_tau: Tensor, tau: float, velocity: Tensor) -> Tensor:
        return -(x_tau + (1 - tau) * velocity) / tau

    mistakes = [
        Mistake(
            lambda x, tau, u: (x + (1 - tau) * u) / tau,
            "Uphill is away from the noise: the score is minus the guess of it, divided.",
        ),
        Mistake(
            lambda x, tau, u: x + (1 - tau) * u,
            "That is eps_hat. The score is minus eps_hat over the standard deviation of the noise in x_tau.",
        ),
        Mistake(
            lambda x, tau, u: -(x + (1 - tau) * u),
            "That is -eps_hat: divide it by the standard deviation of the noise in x_tau.",
        ),
        Mistake(
            lambda x, tau, u: -(x + (1 - tau) * u) / tau**2,
            "The score has one power of the noise's standard deviation below it, not its variance.",
        ),
        Mistake(
            lambda x, tau, u: -(x + (1 - tau) * u) / (1 - tau),
            "1 - tau is the image's weight in x_tau: divide by the noise's.",
        ),
        Mistake(
            lambda x, tau, u: -(x + (1 - tau) * u) * (1 - tau) / tau,
            "Divided by sigma, the noise beside a whole image. In x_tau the noise has the weight tau.",
        ),
        Mistake(
            lambda x, tau, u: -(x - tau * u) / tau,
            "You followed the velocity to the image: x_tau - tau u is x0_hat. Go the other way.",
        ),
        Mistake(lambda x, tau, u: -u, "The velocity is eps_hat - x0_hat: first solve it for eps_hat."),
    ]
    draw = torch.Generator().manual_seed(4)
    x_tau, velocity = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
    cases = [(x_tau, 0.2, velocity), (x_tau, 0.7, velocity)]
    return grade(answer, right, mistakes, cases, "A flow has a score: it can take Langevin steps, too.")
