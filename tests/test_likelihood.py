"""The likelihood by the ODE: against the oracle's density, at the solver's order, and by random probes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from ddpm_lib import bound, gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.likelihood import angle, exact_divergence, hutchinson, log_likelihood, ode_bound
from ddpm_lib.models import OracleDenoiser
from ddpm_lib.schedule import cosine_schedule
from tests.helpers import assert_mean, close, generator, normal
from tests.mixture import MIXTURE as MIXTURE

SCHEDULE = cosine_schedule(512)
DIFFUSION = GaussianDiffusion(SCHEDULE)
ORACLE = OracleDenoiser(MIXTURE, SCHEDULE.alpha_bar)


def path(first: int, stride: int) -> list[int]:
    return [*range(first, 512, stride), 512]


@pytest.mark.equation("eq-hutchinson")
def test_the_divergence_of_a_linear_field_is_its_trace() -> None:
    matrix, x = normal(6, 6), normal(3, 6, seed=1).requires_grad_()
    trace = matrix.trace()
    close(exact_divergence(x @ matrix.T, x), trace.expand(3), 1e-12)
    many = x[:1].expand(4000, 6)
    signs = normal(4000, 6, seed=2).sign()
    assert_mean(hutchinson(signs)(many @ matrix.T, many)[:, None], trace)
    # the estimate is exact on a diagonal matrix, whatever the signs
    diagonal = matrix.diag().diag()
    close(hutchinson(signs[:3])(x @ diagonal, x), trace.expand(3), 1e-12)


@pytest.mark.equation("eq-ode-likelihood")
def test_the_density_is_the_oracles_and_the_error_falls_at_heuns_order() -> None:
    x = MIXTURE.draw(40, generator(0))
    exact = MIXTURE.noised(SCHEDULE.alpha_bar[32]).log_prob(x)
    errors = [
        float((log_likelihood(ORACLE, DIFFUSION, x, path(32, stride)) - exact).abs().max())
        for stride in (32, 16, 8)
    ]
    assert errors[-1] < 0.01
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(2, abs=0.3)


def test_probes_give_the_density_on_average() -> None:
    x, steps = normal(1, 2).expand(2000, 2), path(1, 32)
    exact = log_likelihood(ORACLE, DIFFUSION, x[:1], steps)
    probe = normal(2000, 2, seed=1).sign()
    found = log_likelihood(ORACLE, DIFFUSION, x, steps, hutchinson(probe))
    assert float(found.std()) > 0.02
    assert_mean(found[:, None], exact)


def test_the_angle_is_that_of_v() -> None:
    for t in (1, 100, 400):
        assert math.tan(angle(DIFFUSION, t)) == pytest.approx(float(SCHEDULE.snr[t]) ** -0.5)


def test_the_bound_with_the_odes_density_is_below_the_chains() -> None:
    """Gray levels of two values, an exact denoiser: the bound's pieces put together by hand."""
    x0, eps = torch.tensor([[1.0, -1.0]]).double().expand(300, 2), normal(300, 2)
    found = ode_bound(ORACLE, DIFFUSION, x0, eps, path(1, 8), exact_divergence)
    x1 = DIFFUSION.q_sample(x0, 1, eps)
    mean, variance = DIFFUSION.q_mean_variance(x0, 1)
    law = MIXTURE.noised(SCHEDULE.alpha_bar[1])
    by_hand = (
        bound.step_term(ORACLE, DIFFUSION, x0, 1, eps, clip=False)
        + gaussian.log_prob(x1, mean, variance).sum(1)
        - law.log_prob(x1)
    )
    assert abs(float((found - by_hand).mean())) < 0.02


@pytest.mark.parametrize("times", [[0, 512], [1, 511]])
def test_a_curve_that_does_not_reach_from_noise_to_noise_is_refused(times: list[int]) -> None:
    with pytest.raises(ValueError, match="The curve runs from t >= 1"):
        log_likelihood(ORACLE, DIFFUSION, normal(2, 2), times)
