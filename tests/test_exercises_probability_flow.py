"""The graders of the chapter on the probability flow: the right answer passes, and each mistake is named."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import t_weights
from ddpm_lib.schedule import cosine_schedule
from tests.graders import grader_tests


def divergence(phi: float, s: float, d: int) -> Tensor:
    """The trace of the slope of v, by automatic differentiation."""
    a, b = math.cos(phi), math.sin(phi)

    def v(x: Tensor) -> Tensor:
        mean = x / ((a * s) ** 2 + b**2)
        return a * b * mean - b * a * s**2 * mean

    jacobian: Tensor = torch.autograd.functional.jacobian(v, torch.ones(d, dtype=torch.float64))
    return jacobian.trace()


def heun(x: Tensor, slope: Callable[[Tensor, float], Tensor], tau: float, tau_next: float) -> Tensor:
    ahead = x + (tau_next - tau) * slope(x, tau)
    return (x + ahead + (tau_next - tau) * slope(ahead, tau_next)) / 2


def ahead(x0_hat: Tensor, before: Tensor, lam_before: float, lam: float, lam_next: float) -> Tensor:
    weight = ((lam + lam_next) / 2 - lam_before) / (lam - lam_before)
    return torch.lerp(before, x0_hat, weight)


def shares() -> tuple[float, ...]:
    schedule = cosine_schedule(500)
    big = GaussianDiffusion(schedule).schedule.snr < math.exp(-2)
    return tuple(float(t_weights(schedule, how)[big].sum()) for how in ("logistic", "lognormal"))


RIGHT: dict[str, object] = {
    "check_steps_for_calls": (33, (33 + 1) // 2, 33),
    "check_divergence": divergence,
    "check_heun": heun,
    "check_extrapolate": ahead,
    "check_shares_of_noise": shares(),
}
VALUES = {"check_steps_for_calls", "check_shares_of_noise"}
WRONG: list[tuple[str, object, str]] = [
    ("check_steps_for_calls", (33, 16, 33), "two calls over"),
    ("check_divergence", lambda phi, s, d: divergence(phi, s, d) / d, "adds up all d"),
    ("check_heun", lambda x, slope, p, q: x + (q - p) * slope(x, p), "second slope is missing"),
    ("check_extrapolate", lambda x, b, p, q, n: ahead(b, x, p, q, n), "older guess"),
    ("check_shares_of_noise", shares()[::-1], "other order"),
]

TestGraders = grader_tests(RIGHT, VALUES, WRONG)
