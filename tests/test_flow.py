"""The probability-flow ODE: its two forms, DDIM as Euler's step, the orders of both solvers, and where it ends."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import DPMSolver2M, euler_step, heun_step, karras_timesteps, move, noise_level
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import State, Step, ddim_step, sample_from, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import assert_mean, assert_variance, close, generator, normal
from tests.test_diffusion import Fixed

FINE = linear_schedule(4096)
DIFFUSION = GaussianDiffusion(FINE)
MIXTURE = GaussianMixture(
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.tensor([0.2, 0.4]).double(),
    torch.tensor([0.3, 0.7]).double(),
)
ORACLE = OracleDenoiser(MIXTURE, FINE.alpha_bar)


def walk(step: Step, xT: Tensor, steps: int | list[int], denoiser: Denoiser = ORACLE) -> list[State]:
    return list(sample_from(denoiser, DIFFUSION, xT, step=step, steps=steps, clip=False))


def end(step: Step, xT: Tensor, steps: int | list[int]) -> Tensor:
    last = walk(step, xT, steps)[-1]
    assert last.t == 0
    return last.xt


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


@pytest.mark.equation("eq-dpm-solver")
def test_dpm_solver_is_exact_where_x0_hat_is_linear_in_lambda() -> None:
    """x_s = (s_s / s_t) x_t + a_s times the integral of e^(lambda - lambda_s) x0_hat: Lu et al. 2022, prop. 4.1."""
    schedule, xt = FINE, normal(3, 4)
    lam = -noise_level(schedule).log()
    at, rate = normal(3, 4, seed=1), normal(3, 4, seed=2)
    solver, path = DPMSolver2M(), (3600, 3000, 2100, 1000)
    for t, s in pairwise(path):
        x0_hat = at + rate * lam[t]
        a, spread = schedule.alpha_bar[s].sqrt(), (1 - schedule.alpha_bar).sqrt()
        h = lam[s] - lam[t]
        # the line through both guesses, taken at the middle of the stride
        middle = at + rate * ((lam[t] + lam[s]) / 2 if t != path[0] else lam[t])
        wanted = spread[s] / spread[t] * xt + a * (1 - (-h).exp()) * middle
        eps_hat = DIFFUSION.predict_eps(xt, t, x0_hat)
        xt = solver(DIFFUSION, xt, t, s, x0_hat, eps_hat, xt)
        close(xt, wanted, 1e-9)


def test_dpm_solver_calls_once_a_step_is_of_order_2_and_begins_anew() -> None:
    xT = normal(100, 2, seed=3)
    path = list(range(3072, 1023, -16))
    truth = walk(heun_step, xT, path)[-1].xt
    errors = [
        float((walk(DPMSolver2M(), xT, path[::skip])[-1].xt - truth).abs().mean()) for skip in (16, 8, 4)
    ]
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(2, abs=0.5)
    assert errors[-1] < 0.2 * float((walk(ddim_step, xT, path[::4])[-1].xt - truth).abs().mean())
    solver = DPMSolver2M()
    first, again = (walk(solver, xT, 12)[-1].xt for _ in range(2))
    assert torch.equal(first, again)
    # the last step is DDIM's, which ends at x0_hat
    last = walk(solver, xT, 12)[-1]
    assert last.x0_hat is not None
    close(last.xt, last.x0_hat, 1e-12)


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


@pytest.mark.parametrize("rho", [1.0, 3.0, 7.0])
def test_karras_timesteps_are_even_on_the_scale_of_their_power(rho: float) -> None:
    path = karras_timesteps(FINE, 12, rho)
    assert path[0] == 4096
    assert path[-2:] == [1, 0]
    assert len(path) == 13 or rho == 1.0  # where the last times of 12 fall together
    assert all(t > s for t, s in pairwise(path))
    scale = noise_level(FINE)[path[:-1]] ** (1 / rho)
    if rho == 7.0:
        strides = -scale.diff()
        close(strides, strides.mean().expand(11), 0.06 * float(strides.mean()))


def test_heun_with_karras_timesteps_needs_fewer_calls() -> None:
    xT = normal(200, 2, seed=3)
    truth = end(heun_step, xT, 1024)
    x = end(heun_step, xT, karras_timesteps(FINE, 32))
    assert (x - truth).abs().mean() < 0.5 * (end(euler_step, xT, 63) - truth).abs().mean()


@pytest.mark.parametrize("steps", [0, 1, 4097])
def test_a_number_of_times_that_does_not_fit_is_refused(steps: int) -> None:
    with pytest.raises(
        ValueError, match=f"Cannot take {steps} steps through a chain of T = 4096: pass 2 to 4096"
    ):
        karras_timesteps(FINE, steps)
