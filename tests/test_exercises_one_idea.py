"""The graders of the chapter on one idea's many names: the right answer passes, and each mistake is named."""

import math

import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.names import langevin_step, velocity
from ddpm_lib.loss import t_weights
from ddpm_lib.schedule import cosine_schedule
from tests.graders import grader_tests


def from_eps(x_tau: Tensor, tau: float, eps_hat: Tensor) -> Tensor:
    return velocity((x_tau - tau * eps_hat) / (1 - tau), eps_hat)


def tweedie(u: Tensor, sigma: float, score: Tensor) -> Tensor:
    return u - sigma * (-sigma * score)


def ahead(x0_hat: Tensor, before: Tensor, lam_before: float, lam: float, lam_next: float) -> Tensor:
    weight = ((lam + lam_next) / 2 - lam_before) / (lam - lam_before)
    return torch.lerp(before, x0_hat, weight)


def shares() -> tuple[float, ...]:
    schedule = cosine_schedule(500)
    big = GaussianDiffusion(schedule).schedule.snr < math.exp(-2)
    return tuple(float(t_weights(schedule, how)[big].sum()) for how in ("logistic", "lognormal"))


RIGHT: dict[str, object] = {
    "check_clocks": (0.5, 1 / 3, (1 - 1 / 3) / math.sqrt(0.8)),
    "check_velocity_from_eps": from_eps,
    "check_tweedie": tweedie,
    "check_langevin": langevin_step,
    "check_extrapolate": ahead,
    "check_shares_of_noise": shares(),
}
VALUES = {"check_clocks", "check_shares_of_noise"}
WRONG: list[tuple[str, object, str]] = [
    ("check_clocks", (2.0, 2 / 3, 0.745), "noise over the image"),
    ("check_velocity_from_eps", lambda x, tau, eps: eps - x, "solve the path"),
    ("check_tweedie", lambda u, sigma, score: u + sigma * score, "Units"),
    ("check_langevin", lambda x, score, size, z: x + size * score + size**0.5 * z, "Too little noise"),
    ("check_extrapolate", lambda x, b, p, q, n: ahead(b, x, p, q, n), "older guess"),
    ("check_shares_of_noise", shares()[::-1], "other order"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
