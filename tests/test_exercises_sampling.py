"""The graders of the chapter on sampling: the right answer passes, and each mistake is named."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from ddpm_lib import exercises
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.flow import euler_step
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import DDIM, DDPM, sample_from, timesteps
from ddpm_lib.schedule import linear_schedule
from tests.fixed import Fixed
from tests.graders import grader_tests

SCHEDULE = linear_schedule(50)
DIFFUSION = GaussianDiffusion(SCHEDULE)
AB = SCHEDULE.alpha_bar


def step(rule: Any, xt: Tensor, eps_hat: Tensor, z: Tensor, t: int, s: int) -> Tensor:
    x0_hat = DIFFUSION.predict_x0(xt, t, eps_hat)
    return rule(DIFFUSION, xt, t, s, x0_hat, eps_hat, z)


def line_4(xt: Tensor, eps_hat: Tensor, z: Tensor, t: int, beta: Tensor, ab: Tensor) -> Tensor:
    assert torch.equal(ab, AB)
    assert torch.equal(beta, SCHEDULE.beta)
    return step(DDPM("beta"), xt, eps_hat, z, t, t - 1)


def ddim(xt: Tensor, eps_hat: Tensor, z: Tensor, t: int, s: int, eta: float, ab: Tensor) -> Tensor:
    return step(DDIM(eta), xt, eps_hat, z, t, s)


def loop(x: Tensor, z: Tensor, guess: Callable[..., Tensor], beta: Tensor, ab: Tensor) -> Tensor:
    for t in range(50, 0, -1):
        x = line_4(x, guess(x, t), z[t], t, beta, ab)
    return x


def euler(xt: Tensor, eps_hat: Tensor, ab_t: Tensor, ab_s: Tensor) -> Tensor:
    t, s = (int((value == AB).nonzero()) for value in (ab_t, ab_s))
    rows = xt[:, None]
    *_, end = sample_from(Fixed(eps_hat[:, None]), DIFFUSION, rows, step=euler_step, steps=[t, s], clip=False)
    return end.xt[:, 0] / ab_s.sqrt()


def left_over() -> float:
    """By the recursion: Algorithm 2 for data N(0, 1), with noise down to t = 26."""
    variance = 1.0
    for t in range(50, 0, -1):
        alpha = float(SCHEDULE.alpha[t])
        variance = alpha * variance + (1 - alpha if t > 25 else 0.0)
    return variance


def enough() -> int:
    """Euler's steps in x_t / sqrt(alpha_bar_t) for data N(0, 0.5^2), of a point at one standard deviation."""
    ab = linear_schedule(500).alpha_bar.tolist()
    sigma = [((1 - a) / a) ** 0.5 for a in ab]
    for steps in range(100, 130):
        times = [*timesteps(500, steps), 0]
        x = 1 / ab[500] ** 0.5
        for t, s in pairwise(times):
            x += (sigma[s] - sigma[t]) * x * sigma[t] / (0.25 + sigma[t] ** 2)
        if abs(x**2 / 0.25 - 1) < 0.05:
            return steps
    raise AssertionError("none is enough")


RIGHT: dict[str, object] = {
    "check_left_over": left_over(),
    "check_line_4": line_4,
    "check_ddim": ddim,
    "check_clean_end": lambda xt, eps, t, s, ab: ddim(xt, eps, 0 * xt, t, s, 0.0, ab),
    "check_loop": loop,
    "check_euler": euler,
    "check_timesteps": timesteps,
    "check_enough_steps": enough(),
}
VALUES = {"check_left_over", "check_enough_steps"}


def noisy_loop(x: Tensor, z: Tensor, guess: Callable[..., Tensor], beta: Tensor, ab: Tensor) -> Tensor:
    x = loop(x, z, guess, beta, ab)
    return x + beta[1].sqrt() * z[1]


# Wrong answers written as a reader would, apart from the graders' own, and a piece of what must be said.
WRONG: list[tuple[str, object, str]] = [
    ("check_left_over", 1, "noise at every step"),
    ("check_left_over", float(AB[50]), "no noise is added at any step"),
    ("check_left_over", 0.5, "off by up to"),
    (
        "check_line_4",
        lambda xt, eps, z, t, b, ab: line_4(xt, eps, z, t, b, ab) + b[1].sqrt() * z * (t == 1),
        "At t = 1 there is no noise",
    ),
    (
        "check_line_4",
        lambda xt, eps, z, t, b, ab: line_4(xt, eps, b[t].sqrt() * z, t, b, ab),
        "sigma_t, a standard deviation",
    ),
    (
        "check_ddim",
        lambda xt, eps, z, t, s, eta, ab: ddim(xt, eps, z, t, s, eta**0.5, ab),
        "eta multiplies the standard deviation",
    ),
    ("check_ddim", lambda xt, eps, z, t, s, eta, ab: ddim(xt, eps, z, t, s, 1.0, ab), "left eta out"),
    ("check_ddim", lambda xt, eps, z, t, s, eta, ab: ddim(xt, eps, z, t, s, 0.0, ab), "That is eta = 0"),
    (
        "check_clean_end",
        lambda xt, eps, t, s, ab: ab[s].sqrt() * DIFFUSION.predict_x0(xt, t, eps) + (1 - ab[t]).sqrt() * eps,
        "the step as it was",
    ),
    ("check_clean_end", lambda xt, eps, t, s, ab: xt, "nothing moves"),
    ("check_loop", noisy_loop, "Line 3 of Algorithm 2"),
    (
        "check_loop",
        lambda x, z, guess, b, ab: loop(x, 0 * z, guess, b, ab),
        "You dropped the noise at every step",
    ),
    (
        "check_euler",
        lambda xt, eps, t, s: (xt - (1 - t).sqrt() * eps) / t.sqrt() * s.sqrt() + (1 - s).sqrt() * eps,
        "That is x_s",
    ),
    ("check_timesteps", lambda T, steps: list(range(T, -1, -(T // steps))), "does not end at 0"),
    ("check_timesteps", lambda T, steps: timesteps(T, steps)[:-1], "5 strides have 6 ends"),
    ("check_timesteps", lambda T, steps: timesteps(T, steps)[::-1], "Time runs backwards"),
    ("check_timesteps", lambda T, steps: [T, "0"] + [0] * (steps - 1), "made of numbers"),
    ("check_timesteps", lambda T: [T, 0], "TypeError"),
    ("check_enough_steps", 306, "eta = 1"),
    ("check_enough_steps", 115, "still just over 5 % off"),
    ("check_enough_steps", "few", "made of numbers"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)


@pytest.mark.parametrize("name", ["check_line_4", "check_ddim", "check_loop", "check_euler"])
def test_a_reader_may_work_in_float32(name: str) -> None:
    def single(*arguments: Any) -> object:
        right: Callable[..., Tensor] = RIGHT[name]  # type: ignore[assignment]
        return right(*arguments).float()

    assert getattr(exercises, name)(single)


def test_the_left_over_variance_is_that_of_a_cloud() -> None:
    normal, x = normals(seed=0), None
    data = GaussianMixture(torch.zeros(1, 1).double(), torch.ones(1).double(), torch.ones(1).double())
    oracle = OracleDenoiser(data, AB)
    x = normal(100_000, 1)
    for t in range(50, 0, -1):
        mean, variance = DIFFUSION.p_mean_variance(oracle, x, t, t - 1, clip=False, sigma2="beta")
        x = mean + variance.sqrt() * normal(*x.shape) * (t > 25)
    assert float(x.var()) == pytest.approx(left_over(), rel=0.03)
