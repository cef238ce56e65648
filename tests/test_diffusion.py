"""The Gaussian algebra against things it was not derived from: recursion, conditioning, round trips, chance."""

from __future__ import annotations

import math

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import linear_schedule
from tests.fixed import BOTH, LINEAR
from tests.helpers import assert_mean, assert_variance, close, normal, unchecked


@pytest.mark.equation("eq-closed-form")
@BOTH
def test_one_step_recursion_gives_the_closed_form_at_every_t(diffusion):
    # x_t = sqrt(alpha_t) x_{t-1} + sqrt(beta_t) z: follow the factor of x_0 and the variance.
    x0, beta = torch.ones(1, 1, dtype=torch.float64), diffusion.schedule.beta.tolist()
    signal, variance = 1.0, 0.0
    for t in range(diffusion.T + 1):
        signal, variance = math.sqrt(1 - beta[t]) * signal, (1 - beta[t]) * variance + beta[t]
        mean_t, variance_t = diffusion.q_mean_variance(x0, t)
        assert abs(float(mean_t) - signal) < 1e-12
        assert abs(float(variance_t) - variance) < 1e-12


def test_one_step_recursion_and_closed_form_have_the_same_moments_by_chance():
    diffusion, n = GaussianDiffusion(linear_schedule(40)), 100_000
    x0 = torch.tensor([0.8, -0.3], dtype=torch.float64).expand(n, 2)
    x = x0
    for t in range(1, 13):
        beta = diffusion.schedule.beta[t]
        x = (1 - beta).sqrt() * x + beta.sqrt() * normal(n, 2, seed=t)
    direct = diffusion.q_sample(x0, 12, normal(n, 2, seed=99))
    mean, variance = diffusion.q_mean_variance(x0[:1], 12)
    for draws in (x, direct):
        assert_mean(draws, mean[0])
        assert_variance(draws, variance.flatten())
        assert_mean(draws.prod(1, keepdim=True), mean.prod())  # no correlation between the pixels


@pytest.mark.equation("eq-closed-form")
@BOTH
def test_q_sample_is_its_mean_plus_its_standard_deviation_times_eps(diffusion):
    x0, eps, t = normal(6, 3, 2, 2), normal(6, 3, 2, 2, seed=1), torch.tensor([0, 1, 2, 500, 999, 1000])
    mean, variance = diffusion.q_mean_variance(x0, t)
    assert variance.shape == (6, 1, 1, 1)
    close(diffusion.q_sample(x0, t, eps), mean + variance.sqrt() * eps, 1e-15)
    assert torch.equal(diffusion.q_sample(x0, 0, eps), x0)


def test_a_time_for_each_image_equals_one_image_at_a_time():
    x0, eps, t = normal(5, 1, 3, 3), normal(5, 1, 3, 3, seed=1), torch.tensor([1, 20, 300, 999, 1000])
    s = torch.tensor([0, 19, 1, 300, 980])
    together = LINEAR.q_sample(x0, t, eps)
    mean, variance = LINEAR.q_posterior(x0, eps, t, s)
    for i in range(5):
        one = slice(i, i + 1)
        assert torch.equal(together[one], LINEAR.q_sample(x0[one], int(t[i]), eps[one]))
        mean_i, variance_i = LINEAR.q_posterior(x0[one], eps[one], int(t[i]), int(s[i]))
        assert torch.equal(mean[one], mean_i)
        assert torch.equal(variance[one], variance_i)


@pytest.mark.parametrize("t", [-1, 1001, torch.tensor([1, 1001]), torch.tensor([-1, 5])])
def test_a_time_outside_the_chain_is_refused(t):
    x = normal(2, 3)
    with pytest.raises(ValueError, match=r"t = .* is outside 0 \.\.\. 1000"):
        LINEAR.q_sample(x, t, x)
    with pytest.raises(ValueError, match=r"outside 0 \.\.\. 1000|is not before"):
        LINEAR.q_posterior(x, x, t, 0)
    with pytest.raises(ValueError, match=r"outside 0 \.\.\. 1000|is not before"):
        LINEAR.q_posterior(x, x, 1000, t)


def test_the_ends_of_the_chain_are_inside():
    x = normal(2, 3)
    for t in (0, 1000, torch.tensor([0, 1000])):
        assert LINEAR.q_sample(x, t, x).shape == x.shape


@pytest.mark.parametrize(
    ("t", "s"), [(5, 5), (5, 6), (torch.tensor([5, 5]), torch.tensor([4, 5])), (torch.tensor([9, 3]), 3)]
)
def test_a_reverse_step_that_does_not_go_back_is_refused(t, s):
    x, sentence = normal(2, 3), "A reverse step goes back in time, but s = .* is not before t"
    with pytest.raises(ValueError, match=sentence):
        LINEAR.q_posterior(x, x, t, s)
    with pytest.raises(ValueError, match=sentence):
        LINEAR.reverse_variance(x, t, s, "beta")


def test_a_prediction_of_another_name_is_refused():
    x = normal(2, 3)
    with unchecked():
        for refused in (lambda: LINEAR.interpret(x, x, 5, "score"), lambda: LINEAR.target(x, 5, x, "score")):
            with pytest.raises(ValueError, match="predicts 'eps', 'x0' or 'v', but this one says 'score'"):
                refused()


def test_the_table_follows_the_image_and_keeps_its_dtype():
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x = normal(2, 1, 4, 4).to(dtype)
        assert LINEAR.q_sample(x, 5, x).dtype == dtype
        mean, variance = LINEAR.q_posterior(x, x, 9, 5)
        assert mean.dtype == variance.dtype == dtype
    assert LINEAR.alpha_bar(torch.tensor([1, 2]), normal(2, 1, 4, 4)).shape == (2, 1, 1, 1)
    assert LINEAR.alpha_bar(3, normal(2, 4)).dtype == torch.float64


def test_an_unknown_sigma2_is_refused_by_name():
    x = normal(2, 3)
    with unchecked(), pytest.raises(ValueError, match="sigma2 is 'beta_tilde' or 'beta', not 'betas'"):
        LINEAR.reverse_variance(x, 5, 4, "betas")
