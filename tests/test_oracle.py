"""The exact denoiser against numerical integration, the score, and the mixture that it must sample."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import DDIM, DDPM, ddim_step, ddpm_step, sample, timesteps
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


@pytest.mark.parametrize("weights", [[0.5, 0.4], [1.5, -0.5]])
def test_weights_that_are_no_probabilities_are_refused(weights):
    with pytest.raises(ValueError, match="probabilities that add to 1"):
        GaussianMixture(torch.zeros(2, 2), torch.ones(2), torch.tensor(weights))


@pytest.mark.equation("eq-score")
@pytest.mark.parametrize("t", [1, 20, 100, 200])
def test_the_librarys_score_is_the_gradient_of_both_log_densities(t):
    diffusion = GaussianDiffusion(SCHEDULE)
    xt = torch.randn(50, 2, generator=generator(0), dtype=torch.float64).requires_grad_()
    (score,) = torch.autograd.grad(MIXTURE.noised(SCHEDULE.alpha_bar[t]).log_prob(xt).sum(), xt)
    eps_hat = oracle(MIXTURE)(xt.detach(), torch.full((50,), t))
    close(diffusion.score(xt.detach(), t, eps_hat), score, 1e-9)
    # and for one known image, of log q(x_t | x_0)
    x0 = torch.randn(50, 2, generator=generator(1), dtype=torch.float64)
    mean, variance = diffusion.q_mean_variance(x0, t)
    log_q = -((xt - mean) ** 2 / (2 * variance)).sum()
    (given,) = torch.autograd.grad(log_q, xt)
    close(diffusion.score(xt.detach(), t, diffusion.predict_eps(xt.detach(), t, x0)), given, 1e-9)
