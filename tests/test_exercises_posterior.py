"""The graders of the chapter on the posterior: the right answer passes, and each mistake is named."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ddpm_lib import exercises
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.exercises import clipped_mean as clipped_mean_grader
from ddpm_lib.exercises import posterior, reverse_step
from ddpm_lib.models.oracle import GaussianMixture, OracleDenoiser
from ddpm_lib.schedule import linear_schedule
from tests.fixed import Fixed
from tests.graders import grader_tests

SCHEDULE = linear_schedule(50)
DIFFUSION = GaussianDiffusion(SCHEDULE)


def q_posterior(x0: Tensor, xt: Tensor, t: int, s: int, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
    assert torch.equal(alpha_bar, SCHEDULE.alpha_bar)
    return DIFFUSION.q_posterior(x0, xt, t, s)


def clipped_mean(xt: Tensor, eps_hat: Tensor, t: int, s: int, alpha_bar: Tensor) -> Tensor:
    return DIFFUSION.p_mean_variance(Fixed(eps_hat), xt, t, s, clip=True)[0]


def mean_from_eps(xt: Tensor, eps: Tensor, beta_t: float, alpha_bar_t: float) -> Tensor:
    x0 = (xt - (1 - alpha_bar_t) ** 0.5 * eps) / alpha_bar_t**0.5  # the long way, through x_0
    ab_s = alpha_bar_t / (1 - beta_t)
    mean = ab_s**0.5 * beta_t * x0 + (1 - beta_t) ** 0.5 * (1 - ab_s) * xt
    return mean / (1 - alpha_bar_t)


def measured() -> float:
    """Var[x_3 | x_10] from 400,000 paths: what is left of the variance after the best line through x_10."""
    normal, ab = normals(seed=0), SCHEDULE.alpha_bar
    x3 = DIFFUSION.q_sample(0.5 * normal(400_000, 1), 3, normal(400_000, 1))
    x10 = (ab[10] / ab[3]).sqrt() * x3 + (1 - ab[10] / ab[3]).sqrt() * normal(400_000, 1)
    cov = torch.cov(torch.cat([x3, x10], dim=1).T)
    return float(cov[0, 0] - cov[0, 1] ** 2 / cov[1, 1])


def likelihood_of_variance_1_minus_a(
    x0: Tensor, xt: Tensor, t: int, s: int, ab: Tensor
) -> tuple[Tensor, Tensor]:
    prior, likelihood = 1 - ab[s], 1 - ab[t] / ab[s]
    pooled = prior + likelihood
    mean = likelihood * ab[s].sqrt() * x0 + prior * xt / (ab[t] / ab[s]).sqrt()
    return mean / pooled, prior * likelihood / pooled


RIGHT: dict[str, object] = {
    "check_narrower": ("likelihood", "prior"),
    "check_shares": lambda snr_s, snr_t: ((snr_s - snr_t) / snr_s, snr_t / snr_s),
    "check_posterior": q_posterior,
    "check_mean_from_eps": mean_from_eps,
    "check_reverse_mean": lambda xt, x0_hat, t, s, ab: q_posterior(x0_hat, xt, t, s, ab)[0],
    "check_reverse_variance": measured(),
    "check_clipped_mean": clipped_mean,
}
VALUES = {"check_narrower", "check_reverse_variance"}
MODULES = (posterior, reverse_step, clipped_mean_grader)

# Wrong answers written as a reader would, apart from the graders' own, and a piece of what must be said.
WRONG: list[tuple[str, object, str]] = [
    ("check_narrower", ["Prior", "Likelihood"], "other way round"),
    ("check_narrower", ("prior", "prior"), "s = 10 is right"),
    ("check_narrower", ("likelihood", "likelihood"), "s = 19 is right"),
    ("check_narrower", ("prior", "x_t"), "'x_t' is neither"),
    ("check_narrower", "prior", "should be 2 numbers"),
    ("check_narrower", (True, False), "True is neither"),
    ("check_reverse_variance", [0.1, 0.2], "has shape (2,)"),
    ("check_reverse_variance", torch.tensor([1.0, 2.0]), "has shape (2,)"),
    (
        "check_posterior",
        lambda x0, xt, t, s, ab: q_posterior(x0, xt, t + 1, s + 1, ab),
        "one step off",
    ),
    ("check_posterior", likelihood_of_variance_1_minus_a, "the 1 / a is missing"),
    ("check_shares", lambda s, t: (t / s, 1 - t / s), "swapped the two"),
    (
        "check_posterior",
        lambda x0, xt, t, s, ab: (q_posterior(x0, xt, t, s, ab)[0], 1 - ab[t] / ab[s]),
        "that of the forward step",
    ),
    ("check_posterior", lambda x0, xt, t, s, ab: q_posterior(xt, x0, t, s, ab), "swapped the weights"),
    (
        "check_posterior",
        lambda x0, xt, t, s, ab: q_posterior(x0, xt, t, t - 1, ab),
        "That is the step to t - 1",
    ),
    ("check_posterior", lambda x0, xt, t, s, ab: x0, "should be 2 numbers in a tuple"),
    (
        "check_mean_from_eps",
        lambda xt, eps, b, ab: (xt - b**0.5 * eps) / (1 - b) ** 0.5,
        "noise of all t steps",
    ),
    (
        "check_mean_from_eps",
        lambda xt, eps, b, ab: (xt - b / (1 - ab) * eps) / (1 - b) ** 0.5,
        "divide beta_t by that root",
    ),
    (
        "check_reverse_mean",
        lambda xt, x0_hat, t, s, ab: q_posterior(x0_hat, xt, t, t - 1, ab)[0],
        "always goes to t - 1",
    ),
    (
        "check_clipped_mean",
        lambda xt, eps, t, s, ab: DIFFUSION.p_mean_variance(Fixed(eps), xt, t, s, clip=False)[0],
        "did not clip",
    ),
    ("check_reverse_variance", 1 - SCHEDULE.alpha_bar[10] / SCHEDULE.alpha_bar[3], "That is beta,"),
    ("check_reverse_variance", 0.0282, "That is beta_tilde"),
    ("check_reverse_variance", 0.2, "off by up to"),
    ("check_reverse_variance", "a quarter", "made of numbers"),
]


TestGraders = grader_tests(RIGHT, VALUES, WRONG)


@pytest.mark.parametrize("name", ["check_posterior", "check_mean_from_eps", "check_clipped_mean"])
def test_a_reader_may_work_in_float32(name: str) -> None:
    def single(*arguments: Any) -> object:
        right: Callable[..., Any] = RIGHT[name]  # type: ignore[assignment]
        result = right(*arguments)
        return tuple(part.float() for part in result) if isinstance(result, tuple) else result.float()

    assert getattr(exercises, name)(single)


def test_the_measured_variance_is_that_of_the_oracle() -> None:
    """The law of total variance: beta_tilde, plus the spread of x_0 given x_10 through its weight."""
    ab = SCHEDULE.alpha_bar
    one = torch.ones(1, 1, dtype=torch.float64)
    weight, beta_tilde = DIFFUSION.q_posterior(one, 0 * one, 10, 3)
    spread = 1 / (1 / 0.25 + ab[10] / (1 - ab[10]))
    assert exercises.check_reverse_variance(beta_tilde + weight**2 * spread)
    # and its mean's slope in x_10 is that of the oracle of these data
    data = GaussianMixture(0 * one, torch.tensor([0.5]).double(), torch.ones(1).double())
    slope, _ = DIFFUSION.p_mean_variance(OracleDenoiser(data, ab), one, 10, 3, clip=False)
    total = 1 - ab[3] + 0.25 * ab[3]  # of x_3
    assert exercises.check_reverse_variance(total - (ab[10] / ab[3]).sqrt() * total * slope)
