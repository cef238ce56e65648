"""The graders of the chapter on one idea's many names: the right answer passes, and each mistake is named."""

import math

import torch
from torch import Tensor

from ddpm_lib.further.names import from_velocity, langevin_step, velocity
from tests.graders import grader_tests


def from_eps(x_tau: Tensor, tau: float, eps_hat: Tensor) -> Tensor:
    return velocity((x_tau - tau * eps_hat) / (1 - tau), eps_hat)


def tweedie(u: Tensor, sigma: float, score: Tensor) -> Tensor:
    return u - sigma * (-sigma * score)


def score(x_tau: Tensor, tau: float, u: Tensor) -> Tensor:
    return -from_velocity(x_tau, torch.tensor(tau), u)[1] / tau


RIGHT: dict[str, object] = {
    "check_clocks": (0.5, 1 / 3, (1 - 1 / 3) / math.sqrt(0.8)),
    "check_velocity_from_eps": from_eps,
    "check_tweedie": tweedie,
    "check_langevin": langevin_step,
    "check_score_from_velocity": score,
}
VALUES = {"check_clocks"}
WRONG: list[tuple[str, object, str]] = [
    ("check_clocks", (2.0, 2 / 3, 0.745), "noise over the image"),
    ("check_velocity_from_eps", lambda x, tau, eps: eps - x, "solve the path"),
    ("check_tweedie", lambda u, sigma, score: u + sigma * score, "Units"),
    ("check_langevin", lambda x, score, size, z: x + size * score + size**0.5 * z, "Too little noise"),
    ("check_score_from_velocity", lambda x, tau, u: -score(x, tau, u), "Uphill"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
