"""One step of DDPM and of DDIM: what it computes, and that the last one draws no noise."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from ddpm_lib.evaluate.generate import sampler
from ddpm_lib.sampling import DDIM, DDPM, ddim_step, ddpm_step
from tests.helpers import close, normal
from tests.sampled import COSINE, LINEAR

BOTH = pytest.mark.parametrize("diffusion", [LINEAR, COSINE], ids=["linear", "cosine"])
STRIDES = [(1, 0), (2, 1), (500, 499), (1000, 999), (20, 0), (60, 40), (699, 0), (900, 201)]


def prediction(diffusion, t, clip, seed=0):
    """(x_t, x0_hat, eps_hat) as a network would leave them."""
    xt, eps = normal(3, 4, seed=seed), normal(3, 4, seed=seed + 10)
    x0_hat = diffusion.predict_x0(xt, t, eps)
    if clip:
        x0_hat = x0_hat.clamp(-1, 1)
    return xt, x0_hat, diffusion.predict_eps(xt, t, x0_hat)


@pytest.mark.equation("eq-ddim-sigma")
@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
@pytest.mark.parametrize("clip", [True, False])
def test_ddim_at_eta_1_is_ddpm_at_any_stride(diffusion, t, s, clip):
    xt, x0_hat, eps_hat = prediction(diffusion, t, clip)
    z = normal(3, 4, seed=5)
    ddpm = ddpm_step(diffusion, xt, t, s, x0_hat, eps_hat, z)
    ddim = DDIM(1.0)(diffusion, xt, t, s, x0_hat, eps_hat, z)
    close(ddim, ddpm, 1e-9 if clip else 1e-9 * float(x0_hat.abs().max()))


@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
def test_ddim_at_eta_0_is_q_sample_of_its_own_prediction_and_ignores_the_noise(diffusion, t, s):
    xt, x0_hat, eps_hat = prediction(diffusion, t, clip=True)
    steps = [ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, normal(3, 4, seed=k)) for k in (5, 6)]
    assert torch.equal(*steps)
    close(steps[0], diffusion.q_sample(x0_hat, s, eps_hat), 1e-14)


@pytest.mark.equation("eq-ddim", "eq-ddim-sigma")
@BOTH
@pytest.mark.parametrize("eta", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize(("t", "s"), [(60, 40), (2, 1), (900, 201)])
def test_ddim_keeps_the_marginal_at_any_eta(diffusion, eta, t, s):
    # With the true x_0 and eps, x_s must be N(sqrt(ab_s) x_0, 1 - ab_s): the two noises' variances add up.
    x0, zero, one = (
        normal(3, 4),
        torch.zeros(3, 4, dtype=torch.float64),
        torch.ones(3, 4, dtype=torch.float64),
    )
    step = partial(DDIM(eta), diffusion, one, t, s)
    mean, variance = diffusion.q_mean_variance(x0, s)
    close(step(x0, zero, zero), mean, 1e-14)
    from_eps, from_z = step(zero, one, zero), step(zero, zero, one)
    close(from_eps**2 + from_z**2, variance.expand(3, 4), 1e-14)
    _, posterior = diffusion.q_posterior(x0, one, t, s)
    close(from_z**2, (eta**2 * posterior).expand(3, 4), 1e-14)


@pytest.mark.equation("eq-algorithm-2")
@BOTH
@pytest.mark.parametrize("t", [1, 2, 20, 500, 1000])
@pytest.mark.parametrize("sigma2", ["beta_tilde", "beta"])
def test_ddpm_step_is_line_4_of_algorithm_2(diffusion, t, sigma2):
    xt, eps_hat, z = (normal(3, 4, seed=seed) for seed in range(3))
    beta, ab = diffusion.schedule.beta, diffusion.schedule.alpha_bar
    variance = beta[t] if sigma2 == "beta" else beta[t] * (1 - ab[t - 1]) / (1 - ab[t])
    sigma = variance.sqrt() if t > 1 else 0 * variance  # line 3: z = 0 at t = 1
    line_4 = (xt - beta[t] / (1 - ab[t]).sqrt() * eps_hat) / (1 - beta[t]).sqrt() + sigma * z
    x0_hat = diffusion.predict_x0(xt, t, eps_hat)
    found = DDPM(sigma2)(diffusion, xt, t, t - 1, x0_hat, eps_hat, z)
    close(found, line_4, 1e-12 * max(1.0, float(line_4.abs().max())))


@BOTH
@pytest.mark.parametrize(("t", "s"), STRIDES)
@pytest.mark.parametrize("sigma2", ["beta_tilde", "beta"])
def test_ddpm_step_is_p_p_mean_variance_and_noise(diffusion, t, s, sigma2):
    xt, x0_hat, eps_hat = prediction(diffusion, t, clip=True)
    z = normal(3, 4, seed=5)

    def denoiser(xt, t, y=None):
        return x0_hat

    denoiser.predicts = "x0"
    mean, variance = diffusion.p_mean_variance(denoiser, xt, t, s, sigma2=sigma2)
    step = DDPM(sigma2)(diffusion, xt, t, s, x0_hat, eps_hat, z)
    ab_t, ab_s = diffusion.schedule.alpha_bar[[t, s]].tolist()
    beta = 1 - ab_t / ab_s
    true = beta if sigma2 == "beta" else beta * (1 - ab_s) / (1 - ab_t)
    close(variance.expand(3, 4), torch.full_like(z, true), 1e-14)
    if s > 0:
        close(step, mean + variance.sqrt() * z, 1e-15)
        close((step - mean) ** 2 / z**2, torch.full_like(z, true), 1e-9)
    else:
        assert torch.equal(step, mean)  # the last step shows the mean


@pytest.mark.parametrize("step", [ddpm_step, DDPM("beta"), DDIM(1.0)])
def test_the_last_step_is_x0_hat_without_noise(step):
    for t in (1, 20, 1000):
        xt, x0_hat, eps_hat = prediction(LINEAR, t, clip=True)
        x = step(LINEAR, xt, t, 0, x0_hat, eps_hat, normal(3, 4, seed=5))
        assert torch.equal(x, x0_hat)


def test_samplers_by_name_are_the_steps_with_their_options():
    xt, x0_hat, eps_hat = prediction(LINEAR, 60, clip=True)
    args = (LINEAR, xt, 60, 40, x0_hat, eps_hat, normal(3, 4, seed=5))
    assert torch.equal(sampler("ddpm")(*args), ddpm_step(*args))
    assert torch.equal(sampler("ddpm-beta")(*args), DDPM("beta")(*args))
    assert torch.equal(sampler("ddim", eta=0.3)(*args), DDIM(0.3)(*args))
    assert not torch.equal(sampler("ddpm")(*args), sampler("ddpm-beta")(*args))
    with pytest.raises(ValueError, match="There is no sampler 'euler': choose one of ddpm, ddpm-beta, ddim"):
        sampler("euler")
