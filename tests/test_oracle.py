"""The exact denoiser against numerical integration, the score, and the mixture that it must sample."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import ddim_step, ddpm_step, sample
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import assert_mean, assert_variance, close, generator


def table(*rows):
    return torch.tensor(rows, dtype=torch.float64)


MIXTURE = GaussianMixture(table([1.0, 0.6], [-0.8, 0.4], [0.1, -1.2]), table(0.2, 0.1, 0.35).flatten(),
                          table(0.5, 0.2, 0.3).flatten())  # fmt: skip
LINE = GaussianMixture(
    table([0.7], [-0.5]), torch.tensor([0.3, 0.1]).double(), torch.tensor([0.4, 0.6]).double()
)
SCHEDULE = cosine_schedule(200)


def oracle(mixture, schedule=SCHEDULE):
    return OracleDenoiser(mixture, schedule.alpha_bar)


def density(mixture, x):
    """The mixture's density at each of the points x (n, d), written out."""
    d = x.shape[1]
    total = torch.zeros(len(x), dtype=x.dtype)
    for mean, std, weight in zip(mixture.means, mixture.std, mixture.weights, strict=True):
        square = (x - mean).square().sum(1) / std**2
        total = total + weight * torch.exp(-square / 2) / (2 * math.pi * std**2) ** (d / 2)
    return total


@pytest.mark.parametrize("t", [1, 5, 50, 150, 199, 200])
def test_the_oracle_is_the_integral_of_eps_against_bayes_rule(t):
    # E[eps | x_t] = integral of eps p(x_0) N(x_t; ...) over x_0, by a fine sum over x_0 in one dimension.
    ab = float(SCHEDULE.alpha_bar[t])
    x0 = torch.linspace(-3, 3, 60_001, dtype=torch.float64)
    prior = density(LINE, x0[:, None])
    xt = table([-1.4, -0.5, 0.0, 0.3, 1.1]).T
    eps = (xt - math.sqrt(ab) * x0) / math.sqrt(1 - ab)
    weight = prior * torch.exp(-(eps**2) / 2)
    expected = (eps * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
    close(oracle(LINE)(xt, torch.full((5,), t)), expected, 1e-7)


@pytest.mark.parametrize("t", [1, 20, 100, 200])
def test_the_oracle_is_minus_sigma_times_the_score(t):
    ab = SCHEDULE.alpha_bar[t]
    at_t = GaussianMixture(
        ab.sqrt() * MIXTURE.means, (ab * MIXTURE.std**2 + 1 - ab).sqrt(), MIXTURE.weights
    )  # the law of x_t, a mixture again
    xt = torch.randn(50, 2, generator=generator(0), dtype=torch.float64).requires_grad_()
    (score,) = torch.autograd.grad(density(at_t, xt).log().sum(), xt)
    close(oracle(MIXTURE)(xt.detach(), torch.full((50,), t)), -(1 - ab).sqrt() * score, 1e-9)


def test_the_oracle_reads_a_time_for_each_point():
    xt, t = torch.randn(4, 2, generator=generator(0)).double(), torch.tensor([1, 60, 120, 200])
    together = oracle(MIXTURE)(xt, t)
    for i in range(4):
        close(oracle(MIXTURE)(xt[i : i + 1], t[i : i + 1]), together[i : i + 1], 1e-14)


def test_far_from_every_component_the_oracle_stays_finite():
    answer = oracle(MIXTURE)(torch.full((1, 2), 80.0, dtype=torch.float64), torch.tensor([1]))
    assert bool(answer.isfinite().all())
    assert oracle(MIXTURE).predicts == "eps"


def check_is_the_mixture(x, mixture):
    """Weights, means and spreads of the components, each point counted to the nearest one."""
    n, d = x.shape
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


def cloud(mixture, schedule, step, steps=None, n=20_000):
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


@pytest.mark.parametrize(
    ("step", "steps"),
    [(ddpm_step, None), (partial(ddim_step, eta=0.0), 200), (partial(ddim_step, eta=0.5), 200)],
    ids=["ddpm", "ddim-0", "ddim-0.5"],
)
def test_sampling_with_the_oracle_gives_its_mixture(step, steps):
    schedule = linear_schedule(400) if steps is None else cosine_schedule(400)
    x = cloud(APART, schedule, step, steps)
    label = torch.cdist(x, APART.means).argmin(1)
    for k, weight in enumerate(APART.weights):
        assert_mean((label == k).double()[:, None], weight)
        cluster = x[label == k]
        # Besides chance there is the error of a finite chain: small against the spread.
        n = len(cluster)
        off = (cluster.mean(0) - APART.means[k]).abs() / APART.std[k]
        assert float(off.max()) < 5 / n**0.5 + 0.02
        ratio = cluster.std(0) / APART.std[k]
        assert float((ratio - 1).abs().max()) < 5 / (2 * n) ** 0.5 + 0.02


@pytest.mark.parametrize("sigma2", ["beta_tilde", "beta"])
def test_one_gaussian_comes_out_with_the_variance_that_the_chain_predicts(sigma2):
    # For N(0, s^2) data every step is linear: x_s = k x_t + sqrt(variance) z, so the variance can be followed
    # through the chain exactly, and the sampler's must match it.
    diffusion, std = GaussianDiffusion(linear_schedule(100)), 0.5
    ab = diffusion.schedule.alpha_bar
    variance = 1.0
    for t in range(100, 0, -1):
        shrink = ab[t].sqrt() * std**2 / (ab[t] * std**2 + 1 - ab[t])  # x0_hat = shrink x_t
        a = ab[t] / ab[t - 1]
        k = (ab[t - 1].sqrt() * (1 - a) * shrink + a.sqrt() * (1 - ab[t - 1])) / (1 - ab[t])
        beta = float(diffusion.schedule.beta[t])
        noise = 0.0 if t == 1 else beta if sigma2 == "beta" else beta * float((1 - ab[t - 1]) / (1 - ab[t]))
        variance = float(k) ** 2 * variance + noise
    mixture = GaussianMixture(
        torch.zeros(1, 2).double(), torch.tensor([std]).double(), torch.ones(1).double()
    )
    x = cloud(mixture, diffusion.schedule, partial(ddpm_step, sigma2=sigma2))
    assert_variance(x, variance)
    assert variance == pytest.approx(std**2, rel=0.15)  # and the chain's own error is small


@pytest.mark.parametrize("weights", [[0.5, 0.4], [1.5, -0.5]])
def test_weights_that_are_no_probabilities_are_refused(weights):
    with pytest.raises(ValueError, match="probabilities that add to 1"):
        GaussianMixture(torch.zeros(2, 2), torch.ones(2), torch.tensor(weights))
