"""Answers to the exercises of the chapter on one idea's many names."""

import math

import numpy as np
import torch

from tests.bank import Answers, Bank


def from_eps(x_tau, tau, eps):
    return (eps - x_tau) / (1 - tau)


def langevin(x, score, size, z):
    return x + size * score + math.sqrt(2 * size) * z


def score_of(x_tau, tau, velocity):
    return -(x_tau + (1 - tau) * velocity) / tau


BANK: Bank = {
    "check_clocks": Answers(
        right=[(0.5, 1 / 3, 0.745), (0.5, 0.333, 0.7454), np.array([0.5, 0.3333, 0.7454])],
        wrong=[
            ((0.25, 0.2, 0.8944), "sigma is its root"),
            ((2.0, 0.667, 0.745), "noise over the image"),
            ((0.5, 0.5, 0.7454), "share of both"),
            ((0.5, 0.333, 1.34), "from x_tau to x_t"),
            ((0.5, 0.667, 0.745), "That is 1 - tau"),
            ((0.447, 0.309, 0.772), "not shrunk"),
            ((0.5, 1 / 3, 2 / 3), "a' alone"),
        ],
    ),
    "check_velocity_from_eps": Answers(
        right=[
            from_eps,
            lambda x, tau, eps: eps - (x - tau * eps) / (1 - tau),
            lambda x, tau, eps: (eps.numpy() - x.numpy()) / (1 - tau),
        ],
        wrong=[
            (lambda x, tau, eps: -from_eps(x, tau, eps), "tau grows"),
            (lambda x, tau, eps: eps - x, "solve the path"),
            (lambda x, tau, eps: (x - tau * eps) / (1 - tau), "That is x0_hat"),
            (lambda x, tau, eps: (1 + tau) * eps - x, "1 - tau: divide"),
            (lambda x, tau, eps: (eps - x) / tau, "not by the noise's"),
            (lambda x, tau, eps: 2 * eps - x / tau, "shrunk by 1 - tau"),
        ],
    ),
    "check_tweedie": Answers(
        right=[
            lambda u, sigma, score: u + sigma**2 * score,
            lambda u, sigma, score: u - sigma * (-sigma * score),
            lambda u, sigma, score: u.numpy() + sigma * sigma * score.numpy(),
        ],
        wrong=[
            (lambda u, sigma, score: u - sigma**2 * score, "add it"),
            (lambda u, sigma, score: u + sigma * score, "Units"),
            (lambda u, sigma, score: u + score, "How far"),
            (lambda u, sigma, score: sigma**2 * score, "From where"),
            (lambda u, sigma, score: u + sigma**2 / (1 + sigma**2) * score, "belongs to x_t"),
            (lambda u, sigma, score: -sigma * score, "That is eps_hat"),
            (lambda u, sigma, score: (u + sigma**2 * score) / (1 + sigma**2) ** 0.5, "never shrunk"),
        ],
    ),
    "check_langevin": Answers(
        right=[
            langevin,
            lambda x, score, size, z: x + size * (score + (2 / size) ** 0.5 * z),
            lambda x, score, size, z: torch.add(x, score, alpha=size) + (2 * size) ** 0.5 * z,
        ],
        wrong=[
            (lambda x, score, size, z: x + size * score + size**0.5 * z, "Too little noise"),
            (lambda x, score, size, z: x + size * score + 2 * size**0.5 * z, "under the root"),
            (lambda x, score, size, z: x + size * score + 2 * size * z, "its root"),
            (lambda x, score, size, z: langevin(x, -score, size, z), "Downhill"),
            (lambda x, score, size, z: x + size * score, "Without noise"),
            (lambda x, score, size, z: langevin(x, 0 * score, size, z), "Noise alone"),
            (lambda x, score, size, z: langevin(x, score, size / 2, z), "half this size"),
            (lambda x, score, size, z: langevin(x, score, size, torch.randn_like(z)), "draw none"),
        ],
    ),
    "check_score_from_velocity": Answers(
        right=[
            score_of,
            lambda x, tau, u: -(x / tau + (1 / tau - 1) * u),
            lambda x, tau, u: -(x.numpy() + (1 - tau) * u.numpy()) / tau,
        ],
        wrong=[
            (lambda x, tau, u: -score_of(x, tau, u), "Uphill"),
            (lambda x, tau, u: x + (1 - tau) * u, "That is eps_hat"),
            (lambda x, tau, u: tau * score_of(x, tau, u), "That is -eps_hat"),
            (lambda x, tau, u: score_of(x, tau, u) / tau, "not its variance"),
            (lambda x, tau, u: tau / (1 - tau) * score_of(x, tau, u), "image's weight"),
            (lambda x, tau, u: u - x / tau, "to the image"),
            (lambda x, tau, u: -u, "solve it for eps_hat"),
        ],
    ),
}
