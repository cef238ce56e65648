"""The exact denoiser against numerical integration, the score, and the mixture that it must sample."""

from __future__ import annotations

import math

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture
from tests.helpers import close, generator
from tests.mixtures import SCHEDULE, oracle, table

MIXTURE = GaussianMixture(table([1.0, 0.6], [-0.8, 0.4], [0.1, -1.2]), table(0.2, 0.1, 0.35).flatten(),
                          table(0.5, 0.2, 0.3).flatten())  # fmt: skip
LINE = GaussianMixture(
    table([0.7], [-0.5]), torch.tensor([0.3, 0.1]).double(), torch.tensor([0.4, 0.6]).double()
)


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
