"""The chain, step by step, against the closed forms, changes of variables, and torch's own densities."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from ddpm_lib.chain import path_covariance, q_between, q_step, walk
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.montecarlo import normals, off
from ddpm_lib.schedule import cosine_schedule, linear_schedule, scaled_linear_schedule
from tests.helpers import close
from tests.short_chain import SHORT, X0


@pytest.mark.equation("eq-one-step", "eq-one-step-sample")
@given(st.floats(1e-4, 0.99), st.floats(-2.0, 2.0))
@settings(max_examples=60)
def test_a_step_has_the_density_that_it_is_drawn_from(beta: float, start: float) -> None:
    # x_t is a stretched eps, so its density is that of eps over the stretch, sqrt(beta): both sides of the equation.
    eps = torch.linspace(-4, 4, 17, dtype=torch.float64)
    x = torch.full_like(eps, start)
    xt = q_step(x, beta, eps)
    density = Normal(math.sqrt(1 - beta) * x, math.sqrt(beta)).log_prob(xt)
    close(density, Normal(0.0, 1.0).log_prob(eps) - math.log(beta) / 2, 1e-9)
    close(xt.diff() / eps.diff(), torch.full((16,), math.sqrt(beta), dtype=torch.float64), 1e-9)


@pytest.mark.equation("eq-one-step")
def test_a_step_has_the_moments_of_its_gaussian() -> None:
    draws = q_step(torch.full((200_000,), 0.8).double(), 0.04, normals(seed=0)(200_000))
    assert max(map(abs, off(draws, math.sqrt(0.96) * 0.8, 0.04))) < 4


def test_a_step_works_in_float64_and_keeps_the_dtype_of_the_images() -> None:
    x, eps = torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)
    beta = linear_schedule(1000).beta[1]
    xt = q_step(x, beta, eps)
    assert xt.dtype == torch.float32
    close(xt.double(), q_step(x.double(), beta, eps.double()), 1e-7)


@pytest.mark.equation("eq-one-step-sample", "eq-closed-form")
@pytest.mark.parametrize("make", [linear_schedule, scaled_linear_schedule, cosine_schedule])
def test_walking_carries_the_coefficients_of_the_closed_form(make) -> None:
    # A basis of draws: x_t is linear in x_0, eps_1, ..., eps_T, so walk on the identity and read off the weights.
    T = 40
    schedule, diffusion = make(T), GaussianDiffusion(make(T))
    basis = torch.eye(T + 1, dtype=torch.float64)  # row 0 is x_0, row k is eps_k
    fresh = iter(basis[1:])
    path = torch.stack(list(walk(schedule, basis[0], lambda *_: next(fresh))))
    one = torch.ones(1, 1, dtype=torch.float64)
    for t in range(T + 1):
        mean, variance = diffusion.q_mean_variance(one, t)
        assert abs(float(path[t, 0] - mean)) < 1e-12
        assert abs(float(path[t, 1:].square().sum() - variance)) < 1e-12
    close(path[:, 1:] @ path[:, 1:].T, path_covariance(schedule), 1e-12)


def test_walking_starts_at_x0_takes_T_steps_and_keeps_the_shape_and_dtype() -> None:
    x0 = torch.rand(2, 1, 3, 3)
    states = list(walk(SHORT, x0, normals(seed=0)))
    assert len(states) == SHORT.T + 1
    assert states[0] is x0
    assert {(state.shape, state.dtype) for state in states} == {(x0.shape, torch.float32)}


def test_walking_and_jumping_agree_by_chance() -> None:
    x0 = torch.full((50_000,), 0.8).double()
    schedule = linear_schedule(60)
    for t, xt in enumerate(walk(schedule, x0, normals(seed=3))):
        if t in (5, 20, 60):
            ab = float(schedule.alpha_bar[t])
            assert max(map(abs, off(xt, math.sqrt(ab) * 0.8, 1 - ab))) < 4


@pytest.mark.equation("eq-between")
@pytest.mark.parametrize(("s", "t"), [(0, 1), (0, 40), (7, 8), (7, 31), (39, 40), (12, 12)])
def test_two_jumps_make_one(s: int, t: int) -> None:
    # From x_0 to s and from s to t: weights multiply, variances add, and the jump from 0 to t comes out.
    schedule = cosine_schedule(40)
    diffusion, zero, one = GaussianDiffusion(schedule), torch.zeros(1, 1).double(), torch.ones(1, 1).double()
    weight = q_between(schedule, one, s, t, zero)
    noise = q_between(schedule, zero, s, t, one)
    mean_s, variance_s = diffusion.q_mean_variance(one, s)
    mean_t, variance_t = diffusion.q_mean_variance(one, t)
    close(weight * mean_s, mean_t, 1e-12)
    close(weight**2 * variance_s + noise**2, variance_t, 1e-12)
    if t == s + 1:
        close(noise**2, schedule.beta[t].reshape(1, 1), 1e-12)
    if s == 0:
        close(q_between(schedule, one, 0, t, one), diffusion.q_sample(one, t, one), 1e-12)


@pytest.mark.parametrize(("s", "t"), [(5, 4), (-1, 3), (0, 7)])
def test_a_jump_back_or_out_of_the_chain_is_refused(s: int, t: int) -> None:
    with pytest.raises(ValueError, match=f"s = {s} and t = {t}, but the chain runs forward"):
        q_between(SHORT, X0, s, t, X0)
