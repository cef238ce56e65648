"""The probability-flow ODE: its two forms, DDIM as Euler's step, the orders of both solvers, and where it ends."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import euler_step, heun_step, move, noise_level
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import Step, ddim_step, sample_from, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.fixed import Fixed
from tests.helpers import assert_mean, assert_variance, close, generator, normal
from tests.walks import DIFFUSION, FINE, MIXTURE, ORACLE, end, walk


@pytest.mark.parametrize("schedule", [linear_schedule(1000), cosine_schedule(1000)], ids=["linear", "cosine"])
@pytest.mark.parametrize(("t", "s"), [(1, 0), (2, 1), (500, 499), (60, 40), (699, 0), (900, 201)])
@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.equation("eq-ode")
def test_eulers_step_is_ddim_without_noise(schedule, t: int, s: int, clip: bool) -> None:
    diffusion, xt, eps = GaussianDiffusion(schedule), normal(3, 4), normal(3, 4, seed=1)
    network = Fixed(eps)
    x0_hat, eps_hat = diffusion.denoise(network, xt, t, clip=clip)
    size = max(1.0, float(x0_hat.abs().max()))
    *_, found = sample_from(network, diffusion, xt, step=euler_step, steps=[t, s], clip=clip)
    close(found.xt, ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, normal(3, 4, seed=2)), 1e-12 * size)
    # and Euler's step it is, in the variables of the equation
    sigma, root = noise_level(schedule), schedule.alpha_bar.sqrt()
    u = xt / root[t] + (sigma[s] - sigma[t]) * eps_hat
    close(found.xt, root[s] * u, 1e-12 * size)


@pytest.mark.equation("eq-ode")
def test_the_slope_is_that_of_the_score_sde() -> None:
    """dx/dt = -beta(t) (x + score) / 2 (Song et al. 2021, eq. 13): both go the same way in a short step."""
    xt = normal(200, 2)
    for t in (400, 2000, 4000):
        beta = float(FINE.beta[t])
        score = DIFFUSION.score(xt, t, ORACLE(xt, torch.full((200,), t)))
        by_sde = beta / 2 * (xt + score)  # one step back
        by_flow = walk(euler_step, xt, [t, t - 1])[-1].xt - xt
        assert float((by_flow - by_sde).abs().max()) < 5 * beta * float(by_sde.abs().max())


@pytest.mark.equation("eq-ode")
@pytest.mark.parametrize(("step", "order"), [(euler_step, 1), (heun_step, 2)])
def test_the_flow_of_gaussian_data_is_known_and_reached_at_the_solvers_order(step: Step, order: int) -> None:
    """For N(m, v) the lines are scaled: u - m = (u_T - m) sqrt((v + sigma^2) / (v + sigma_T^2))."""
    m, v = 0.7, 0.5
    data = GaussianMixture(
        torch.full((1, 2), m).double(), torch.full((1,), math.sqrt(v)).double(), torch.ones(1).double()
    )
    oracle, xT, t = OracleDenoiser(data, FINE.alpha_bar), normal(50, 2), 3072
    sigma, root = noise_level(FINE), FINE.alpha_bar.sqrt()
    errors = []
    for stride in (64, 32, 16, 8):
        x = walk(step, xT, list(range(t, 1023, -stride)), oracle)[-1].xt
        scale = ((v + sigma[1024] ** 2) / (v + sigma[t] ** 2)).sqrt()
        truth = root[1024] * (m + (xT / root[t] - m) * scale)
        errors.append(float((x - truth).abs().max()))
    assert errors[-1] < 0.01
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize(("step", "steps", "calls"), [(euler_step, 10, 10), (heun_step, 10, 19)])
def test_the_network_is_called_once_or_twice_a_step_and_never_at_0(
    step: Step, steps: int, calls: int
) -> None:
    seen: list[int] = []

    class Counting:
        predicts = "eps"

        def __call__(self, xt: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            seen.extend(t[:1].tolist())
            return ORACLE(xt, t)

    assert walk(step, normal(2, 2), steps, Counting())[-1].t == 0
    assert len(seen) == calls
    assert min(seen) >= 1


def test_the_flow_carries_noise_to_the_data() -> None:
    x = end(heun_step, normal(20_000, 2), 64)
    fresh = MIXTURE.draw(200_000, generator(1))
    # 64 steps leave an error below what 20,000 points can show
    assert_mean(x, fresh.mean(0))
    assert_variance(x, fresh.var(0))
    assert abs(float((x[:, 0] < 0).double().mean() - (fresh[:, 0] < 0).double().mean())) < 0.015


def test_heun_is_nearer_at_equal_calls() -> None:
    xT = normal(200, 2, seed=3)
    truth = end(heun_step, xT, 1024)
    for calls in (63, 127, 255):
        euler = (end(euler_step, xT, calls) - truth).abs().mean()
        heun = (end(heun_step, xT, (calls + 1) // 2) - truth).abs().mean()
        assert heun < 0.8 * euler


def test_a_solver_goes_through_the_times_of_the_samplers_and_repeats_itself() -> None:
    xT = normal(3, 2)
    states = walk(heun_step, xT, 7)
    assert [state.t for state in states] == timesteps(4096, 7)
    assert torch.equal(states[0].xt, xT)
    again = walk(heun_step, xT, 7)
    assert all(torch.equal(a.xt, b.xt) for a, b in zip(states, again, strict=True))
    assert not torch.is_inference_mode_enabled()


def test_the_line_through_a_point_with_the_true_slope_leads_to_q_sample() -> None:
    x0, eps = normal(3, 4), normal(3, 4, seed=1)
    for t, s in ((4096, 1), (3000, 10), (20, 0)):
        xt = DIFFUSION.q_sample(x0, t, eps)
        close(move(DIFFUSION, xt, t, s, eps), DIFFUSION.q_sample(x0, s, eps), 1e-10)
    assert float(noise_level(FINE)[0]) == 0
    close(noise_level(FINE)[1:] ** -2, FINE.snr[1:], 1e-6 * float(FINE.snr[1]))
