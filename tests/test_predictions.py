"""One prediction, four names: x_0, eps, v and the answer of a network."""

from __future__ import annotations

import math

import pytest
import torch

from tests.fixed import BOTH, COSINE, LINEAR
from tests.helpers import close, normal


@pytest.mark.equation("eq-x0-from-eps")
@BOTH
def test_eps_x0_and_v_round_trips_at_every_t(diffusion):
    t = torch.arange(1, diffusion.T + 1)
    x0, eps = normal(diffusion.T, 5).clamp(-1, 1), normal(diffusion.T, 5, seed=1)
    xt, v = diffusion.q_sample(x0, t, eps), diffusion.predict_v(x0, t, eps)
    # Rounding in x_t grows by 1 / sqrt(alpha_bar) on the way to x_0 and 1 / sqrt(1 - alpha_bar) to eps.
    ab = diffusion.schedule.alpha_bar[1:, None]
    close((diffusion.predict_x0(xt, t, eps) - x0) * ab.sqrt(), 0 * x0, 1e-14)
    close((diffusion.predict_eps(xt, t, x0) - eps) * (1 - ab).sqrt(), 0 * eps, 1e-14)
    close(diffusion.predict_x0(xt, t, eps), x0, 1e-9)
    close(diffusion.predict_eps(xt, t, x0), eps, 1e-9)
    close(diffusion.x0_from_v(xt, t, v), x0, 1e-14)
    close(diffusion.eps_from_v(xt, t, v), eps, 1e-14)


def test_predict_x0_and_predict_eps_do_not_assume_that_xt_came_from_x0():
    # For any (x_t, eps): putting the two estimates together must give x_t back.
    xt, eps = normal(3, 4), normal(3, 4, seed=1)
    for t in (1, 10, 500, 1000):
        close(LINEAR.q_sample(LINEAR.predict_x0(xt, t, eps), t, eps), xt, 1e-12)
        close(LINEAR.q_sample(xt, t, LINEAR.predict_eps(eps, t, xt)), eps, 1e-12)


@pytest.mark.parametrize("t", [1, 2, 5, 50])
def test_float32_images_lose_nothing_near_t_0_because_coefficients_are_float64(t):
    x0, eps = normal(200, dtype=torch.float32).clamp(-1, 1), normal(200, seed=1, dtype=torch.float32)
    sigma = math.sqrt(-math.expm1(float((-COSINE.schedule.beta[1 : t + 1]).log1p().sum())))  # no cancellation
    # With 1 - alpha_bar in float32, sigma_1 (0.0064) would be off by a relative 1e-3; float32 itself has 6e-8.
    noise = COSINE.q_sample(torch.zeros(200), t, eps)
    close(noise / eps, torch.full((200,), sigma), 2e-7 * sigma)
    # One rounding of x_t, 6e-8, is what a division by sigma may enlarge.
    close(COSINE.predict_eps(COSINE.q_sample(x0, t, eps), t, x0), eps, 4 * 6e-8 * 4 / sigma)
    close(COSINE.predict_x0(COSINE.q_sample(x0, t, eps), t, eps), x0, 1e-6)


@BOTH
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_interpret_inverts_target(diffusion, predicts):
    x0, eps, t = normal(5, 3), normal(5, 3, seed=1), torch.tensor([1, 20, 500, 980, 990])
    output = diffusion.target(x0, t, eps, predicts)
    x0_hat, eps_hat = diffusion.interpret(output, diffusion.q_sample(x0, t, eps), t, predicts)
    close(x0_hat, x0, 1e-11)
    close(eps_hat, eps, 1e-11)


@pytest.mark.equation("eq-v")
def test_target_is_the_named_quantity():
    x0, eps, t = normal(5, 3), normal(5, 3, seed=1), torch.tensor([0, 1, 500, 999, 1000])
    assert torch.equal(LINEAR.target(x0, t, eps, "eps"), eps)
    assert torch.equal(LINEAR.target(x0, t, eps, "x0"), x0)
    # v is the derivative of x_t along the circle angle: (x_t, v) is (x0, eps) turned, so lengths agree.
    xt, v = LINEAR.q_sample(x0, t, eps), LINEAR.target(x0, t, eps, "v")
    close(xt**2 + v**2, x0**2 + eps**2, 1e-13)
    assert torch.equal(v[0], eps[0])  # at t = 0
