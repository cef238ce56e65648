"""Sampling with an exact denoiser gives its data, the nearer the longer the chain."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture
from ddpm_lib.sampling import DDIM, DDPM, ddim_step, ddpm_step, sample, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import assert_mean, assert_variance, generator
from tests.mixtures import oracle, table


def check_is_the_mixture(x, mixture):
    """Weights, means and spreads of the components, each point counted to the nearest one."""
    label = torch.cdist(x, mixture.means).argmin(1)
    for k, weight in enumerate(mixture.weights):
        assert_mean((label == k).double()[:, None], weight)
        cluster = x[label == k]
        assert_mean(cluster, mixture.means[k])
        assert_variance(cluster, mixture.std[k] ** 2)
        assert_mean((cluster - mixture.means[k]).prod(1, keepdim=True), 0.0)  # round, not slanted


# Components so far apart (8 spreads and more) that the nearest one is the right one.
APART = GaussianMixture(table([1.0, 0.8], [-1.0, 0.8], [0.0, -1.2]), table(0.12, 0.08, 0.2).flatten(),
                        table(0.5, 0.2, 0.3).flatten())  # fmt: skip


def test_the_mixture_draws_itself():
    check_is_the_mixture(APART.draw(40_000, generator(0)), APART)
    assert torch.equal(APART.draw(5, generator(1)), APART.draw(5, generator(1)))


class Cloud:
    """The oracle for one "image" of n points, so that all of them are drawn from one seed (and fast)."""

    predicts = "eps"

    def __init__(self, mixture, schedule):
        self.oracle = oracle(mixture, schedule)

    def __call__(self, xt, t, y=None):
        return self.oracle(xt[0].double(), t.expand(xt.shape[1])).float()[None]


def cloud(mixture, schedule, step, steps=None, n=5000):
    """n points that `step` makes from noise with the oracle's help."""
    run = sample(
        Cloud(mixture, schedule),
        GaussianDiffusion(schedule),
        (n, 2),
        seeds=[0],
        step=step,
        steps=steps,
        clip=False,
    )
    *_, last = run
    return last.xt[0].double()


def chain_variance(schedule, path, std, eta, sigma2="beta_tilde"):
    """The variance that the sampler must end with when the data are N(mean, std^2).

    Each step is then linear, x_s = k x_t + noise z (up to the mean), so the variance can be followed exactly,
    errors of a finite chain included. From eq. 12 of the DDIM paper; eta = 1 is DDPM.
    """
    variance = 1.0
    for t, s in pairwise(path):
        ab, ab_s = schedule.alpha_bar[[t, s]].tolist()
        beta = 1 - ab / ab_s
        noise = eta**2 * beta * (1 - ab_s) / (1 - ab)
        x0_hat = math.sqrt(ab) * std**2 / (ab * std**2 + 1 - ab)  # E[x_0 | x_t] = x0_hat x_t
        eps_hat = (1 - math.sqrt(ab) * x0_hat) / math.sqrt(1 - ab)
        k = math.sqrt(ab_s) * x0_hat + math.sqrt(1 - ab_s - noise) * eps_hat
        if sigma2 == "beta" and s > 0:
            noise = beta
        variance = k**2 * variance + noise
    return variance


@pytest.mark.parametrize(
    ("schedule", "step", "steps", "eta"),
    [
        (linear_schedule(300), ddpm_step, 300, 1.0),
        (cosine_schedule(300), ddpm_step, 100, 1.0),
        (cosine_schedule(500), ddim_step, 250, 0.0),
        (linear_schedule(500), DDIM(0.5), 250, 0.5),
    ],
    ids=["ddpm", "ddpm-respaced", "ddim-0", "ddim-0.5"],
)
def test_sampling_with_the_oracle_gives_its_mixture(schedule, step, steps, eta):
    x = cloud(APART, schedule, step, steps)
    label = torch.cdist(x, APART.means).argmin(1)
    for k, weight in enumerate(APART.weights):
        assert_mean((label == k).double()[:, None], weight)
        cluster = x[label == k]
        assert_mean(cluster, APART.means[k])
        # Narrow components suffer from the finite chain: each must come out as wide as the chain makes it.
        variance = chain_variance(schedule, timesteps(schedule.T, steps), float(APART.std[k]), eta)
        assert_variance(cluster, variance)
        assert variance == pytest.approx(float(APART.std[k]) ** 2, rel=0.3)
        assert_mean((cluster - APART.means[k]).prod(1, keepdim=True), 0.0)


@pytest.mark.parametrize("sigma2", ["beta_tilde", "beta"])
def test_one_gaussian_comes_out_with_the_variance_that_the_chain_predicts(sigma2):
    schedule, std = linear_schedule(100), 0.5
    mixture = GaussianMixture(
        torch.zeros(1, 2).double(), torch.tensor([std]).double(), torch.ones(1).double()
    )
    x = cloud(mixture, schedule, DDPM(sigma2))
    variance = chain_variance(schedule, timesteps(100), std, 1.0, sigma2)
    assert_mean(x, 0.0)
    assert_variance(x, variance)
    assert variance == pytest.approx(std**2, rel=0.15)  # and the chain's own error is small


def test_the_chain_approaches_the_data_as_it_gets_longer():
    # The error of the finite chain falls like 1 / T: it is the chain's, not the sampler's.
    off = [
        abs(chain_variance(linear_schedule(T), timesteps(T), 0.2, 1.0) / 0.2**2 - 1) for T in (250, 500, 1000)
    ]
    assert off[0] > 1.5 * off[1] > 2.25 * off[2]
