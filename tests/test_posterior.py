"""The posterior q(x_s | x_t, x_0): Bayes' rule on Gaussians, at any stride."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lib import gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import NoiseSchedule
from tests.fixed import BOTH, STRIDES
from tests.helpers import close, normal


def conditioned(diffusion, x0, xt, t, s):
    """Mean and variance of x_s given x_t, from the joint Gaussian of the chain and a Schur complement."""
    beta = diffusion.schedule.beta
    # (x_s, x_t) = M (x_0, z_1, ..., z_t): the chain, one row a time, without any closed form.
    row = torch.zeros(t + 1, dtype=torch.float64)
    row[0] = 1.0
    rows = [row]
    for k in range(1, t + 1):
        row = (1 - beta[k]).sqrt() * row
        row[k] = beta[k].sqrt()
        rows.append(row)
    m = torch.stack([rows[s], rows[t]])
    mean_s, mean_t = m[0, 0] * x0, m[1, 0] * x0
    cov = m[:, 1:] @ m[:, 1:].T
    gain = cov[0, 1] / cov[1, 1]
    return mean_s + gain * (xt - mean_t), cov[0, 0] - gain * cov[1, 0]


@pytest.mark.equation("eq-posterior-any")
@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
def test_the_posterior_is_gaussian_conditioning_at_any_stride(diffusion, t, s):
    x0 = normal(4, 3)
    xt = diffusion.q_sample(x0, t, normal(4, 3, seed=1))  # where the chain really is
    mean, variance = diffusion.q_posterior(x0, xt, t, s)
    true_mean, true_variance = conditioned(diffusion, x0, xt, t, s)
    # 1 - alpha_bar_t, known to the last bit of 1, is divided by: that matters at t = 2 of the cosine only.
    close(mean, true_mean, 1e-12 if t > 2 else 1e-11)
    assert abs(float(variance) - float(true_variance)) < 1e-12


@pytest.mark.equation("eq-posterior-bayes")
@BOTH
@pytest.mark.parametrize(("t", "s"), [(t, s) for t, s in STRIDES if s > 0])
def test_the_posterior_is_likelihood_times_prior_over_evidence(diffusion, t, s):
    # All four densities, constants included, on a grid of x_s: the two other factors come from the chain.
    ab, x0, xt = diffusion.schedule.alpha_bar, torch.tensor([[0.8]]).double(), torch.tensor([[-0.3]]).double()
    a = float(diffusion.schedule.alpha[s + 1 : t + 1].prod())
    mean, variance = diffusion.q_posterior(x0, xt, t, s)
    xs = mean + variance.sqrt() * torch.linspace(-4, 4, 81, dtype=torch.float64)[:, None]
    likelihood = gaussian.log_prob(xt - math.sqrt(a) * xs, 0.0, 1 - a)
    prior = gaussian.log_prob(xs - ab[s].sqrt() * x0, 0.0, float(1 - ab[s]))
    evidence = gaussian.log_prob(xt - ab[t].sqrt() * x0, 0.0, float(1 - ab[t]))
    posterior = gaussian.log_prob(xs, mean, variance)
    size = float(torch.cat([likelihood, prior, evidence.abs()]).abs().max())  # at small t they nearly cancel
    close(posterior, likelihood + prior - evidence, 1e-9 * max(size, 1))


@pytest.mark.equation("eq-posterior-mean", "eq-posterior-variance")
@BOTH
def test_at_stride_one_the_posterior_is_the_papers_eq_7(diffusion):
    x0, xt = normal(4, 3), normal(4, 3, seed=1)
    beta, ab = diffusion.schedule.beta, diffusion.schedule.alpha_bar
    for t in (2, 3, 500, 999, 1000):
        beta_tilde = (1 - ab[t - 1]) / (1 - ab[t]) * beta[t]
        eq7 = ab[t - 1].sqrt() * beta[t] / (1 - ab[t]) * x0
        eq7 = eq7 + (1 - beta[t]).sqrt() * (1 - ab[t - 1]) / (1 - ab[t]) * xt
        mean, variance = diffusion.q_posterior(x0, xt, t, t - 1)
        close(mean, eq7, 1e-12)
        assert float(variance) == pytest.approx(float(beta_tilde), rel=1e-9)


@BOTH
@pytest.mark.parametrize("t", [1, 20, 699, 1000])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_at_s_0_the_posterior_is_exactly_x0_without_variance(diffusion, t, dtype):
    x0, xt = normal(4, 3, dtype=dtype), normal(4, 3, seed=1, dtype=dtype)
    mean, variance = diffusion.q_posterior(x0, xt, t, 0)
    assert torch.equal(mean, x0)
    assert torch.equal(variance, torch.zeros_like(variance))


@given(st.integers(2, 40), st.data())
@settings(max_examples=40)
def test_two_posterior_steps_in_a_row_are_one_posterior_of_the_longer_stride(T, data):
    # p(x_r | x_t, x_0) = integral of p(x_r | x_s, x_0) p(x_s | x_t, x_0) for r < s < t and any schedule.
    betas = data.draw(st.lists(st.floats(1e-4, 0.9), min_size=T, max_size=T))
    diffusion = GaussianDiffusion(NoiseSchedule(torch.tensor([0.0, *betas], dtype=torch.float64)))
    t = data.draw(st.integers(2, T))
    s = data.draw(st.integers(1, t - 1))
    r = data.draw(st.integers(0, s - 1))
    x0, xt, one = normal(1, 1), normal(1, 1, seed=1), torch.ones(1, 1, dtype=torch.float64)
    mean_s, variance_s = diffusion.q_posterior(x0, xt, t, s)
    mean_r, variance_r = diffusion.q_posterior(x0, mean_s, s, r)
    slope, _ = diffusion.q_posterior(0 * one, one, s, r)  # of x_s in the second mean
    mean, variance = diffusion.q_posterior(x0, xt, t, r)
    close(mean_r, mean, 1e-10)
    close(variance_r + slope**2 * variance_s, variance, 1e-10)
