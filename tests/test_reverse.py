"""The reverse process: its mean, its variance, and what is asked of the network."""

from __future__ import annotations

import math

import pytest
import torch

from ddpm_lib import gaussian
from ddpm_lib.models.oracle import GaussianMixture, OracleDenoiser
from tests.fixed import BOTH, LINEAR, STRIDES, Fixed
from tests.helpers import close, normal


@pytest.mark.equation("eq-reverse")
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_p_mean_variance_is_the_posterior_at_the_predicted_x0(predicts):
    x0, eps = normal(4, 3), normal(4, 3, seed=1)
    t, s = torch.tensor([1, 50, 500, 800]), torch.tensor([0, 49, 300, 1])
    xt = LINEAR.q_sample(x0, t, eps)
    denoiser = Fixed(LINEAR.target(x0, t, eps, predicts), predicts)
    mean, variance = LINEAR.p_mean_variance(denoiser, xt, t, s, clip=False)
    true_mean, true_variance = LINEAR.q_posterior(x0, xt, t, s)
    close(mean, true_mean, 1e-12)
    assert torch.equal(variance, true_variance)


@pytest.mark.equation("eq-mean-eps")
@BOTH
def test_the_mean_for_a_predicted_eps_is_the_papers_eq_11(diffusion):
    xt, eps, beta = normal(4, 3), normal(4, 3, seed=1), diffusion.schedule.beta
    for t in (1, 2, 3, 20, 500, 998):
        noise = beta[t] / (1 - diffusion.schedule.alpha_bar[t]).sqrt() * eps
        eq11 = (xt - noise) / (1 - beta[t]).sqrt()
        mean, _ = diffusion.p_mean_variance(Fixed(eps), xt, t, t - 1, clip=False)
        close(mean, eq11, 1e-10)


@BOTH
@pytest.mark.parametrize(("t", "s"), [(2, 1), (50, 20), (500, 499), (990, 300), (400, 0)])
def test_with_an_exact_denoiser_the_mean_is_that_of_the_true_reverse_step(diffusion, t, s):
    # Data of two narrow Gaussians: q(x_s | x_t) is q(x_s) q(x_t | x_s), normalized, on a grid.
    mixture = GaussianMixture(
        torch.tensor([[-0.5], [0.9]]).double(),
        torch.tensor([0.3, 0.2]).double(),
        torch.tensor([0.3, 0.7]).double(),
    )
    ab, xt = diffusion.schedule.alpha_bar, torch.tensor([[0.1]]).double()
    a, x = float(ab[t] / ab[s]), torch.linspace(-8, 8, 160_001, dtype=torch.float64)
    weights = gaussian.log_prob(xt - math.sqrt(a) * x, 0.0, 1 - a)[0].exp()
    parts = zip(mixture.weights.tolist(), mixture.means.flatten().tolist(), mixture.std.tolist(), strict=True)
    root = math.sqrt(ab[s])
    weights = weights * sum(
        w * gaussian.log_prob(x, root * m, float(ab[s] * d**2 + 1 - ab[s])).exp() for w, m, d in parts
    )
    expected = (weights * x).sum() / weights.sum()
    oracle = OracleDenoiser(mixture, ab)
    mean, _ = diffusion.p_mean_variance(oracle, xt, t, s, clip=False)
    close(mean.flatten(), expected[None], 1e-8)


def test_p_mean_variance_clips_x0_hat_to_the_image_range_unless_told_not_to():
    xt, outside = normal(4, 1, 2, 2), 3 * normal(4, 1, 2, 2, seed=1)
    assert bool((outside > 1).any() and (outside < -1).any())
    denoiser = Fixed(outside, "x0")
    clipped, _ = LINEAR.p_mean_variance(denoiser, xt, 500, 400)
    free, _ = LINEAR.p_mean_variance(denoiser, xt, 500, 400, clip=False)
    close(clipped, LINEAR.q_posterior(outside.clamp(-1, 1), xt, 500, 400)[0], 1e-15)
    close(free, LINEAR.q_posterior(outside, xt, 500, 400)[0], 1e-15)


@pytest.mark.equation("eq-clip")
def test_clipping_keeps_x0_hat_and_eps_hat_a_pair():
    xt, eps = normal(4, 1, 2, 2), normal(4, 1, 2, 2, seed=1)
    x0_hat, eps_hat = LINEAR.denoise(Fixed(eps), xt, 700)
    assert float(x0_hat.abs().max()) == 1
    close(LINEAR.q_sample(x0_hat, 700, eps_hat), xt, 1e-12)
    x0_hat, eps_hat = LINEAR.denoise(Fixed(eps), xt, 700, clip=False)
    assert torch.equal(eps_hat, eps)
    close(LINEAR.q_sample(x0_hat, 700, eps_hat), xt, 1e-12)


def test_denoise_asks_the_network_at_a_time_for_each_image_and_hands_on_the_labels():
    denoiser, y = Fixed(normal(4, 3)), torch.tensor([3, 1, 4, 1])
    xt = normal(4, 3, seed=1)
    LINEAR.denoise(denoiser, xt, 7, y=y)
    assert denoiser.asked[0] is xt
    assert denoiser.asked[1].tolist() == [7, 7, 7, 7]
    assert denoiser.asked[1].dtype == torch.int64
    assert denoiser.asked[2] is y
    LINEAR.p_mean_variance(denoiser, xt, torch.tensor([7, 8, 9, 10]), 2, y=y)
    assert denoiser.asked[1].tolist() == [7, 8, 9, 10]
    assert denoiser.asked[2] is y


@pytest.mark.equation("eq-sigma-choices")
@BOTH
@pytest.mark.parametrize(("t", "s"), [(t, s) for t, s in STRIDES if s > 0])
@pytest.mark.parametrize(("data", "sigma2"), [(0.0, "beta_tilde"), (1.0, "beta")])
def test_each_sigma2_is_the_true_variance_for_its_own_data(diffusion, t, s, data, sigma2):
    # Gaussian data: the true reverse step is q(x_s) times the likelihood of x_s, a product of two Gaussians.
    ab = diffusion.schedule.alpha_bar
    a, prior = ab[t] / ab[s], ab[s] * data + 1 - ab[s]
    xt = normal(1, 1)
    _, true = gaussian.product(torch.zeros(1), prior, xt / a.sqrt(), (1 - a) / a)
    found = diffusion.reverse_variance(xt, t, s, sigma2)
    assert float(found) == pytest.approx(float(true), rel=1e-9)


@BOTH
def test_sigma2_beta_is_the_variance_of_the_forward_step(diffusion):
    xt, denoiser = normal(4, 3), Fixed(normal(4, 3, seed=1))
    for t in (2, 20, 500, 1000):
        _, variance = diffusion.p_mean_variance(denoiser, xt, t, t - 1, sigma2="beta")
        assert float(variance) == pytest.approx(float(diffusion.schedule.beta[t]), rel=1e-9)
        _, smaller = diffusion.p_mean_variance(denoiser, xt, t, t - 1)
        assert float(smaller) < float(variance)
    # From s to t the forward chain adds 1 - alpha_{s+1} ... alpha_t.
    product = float(diffusion.schedule.alpha[31:71].prod())
    assert float(diffusion.reverse_variance(xt, 70, 30, "beta")) == pytest.approx(1 - product, rel=1e-9)
    # p_theta(x_0 | x_1) has a variance too; it is the sampler that leaves its noise out.
    assert float(diffusion.reverse_variance(xt, 20, 0, "beta")) == pytest.approx(
        1 - float(diffusion.schedule.alpha_bar[20]), rel=1e-9
    )
