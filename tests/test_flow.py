"""The probability-flow ODE: its two forms, DDIM as Euler's step, the orders of both solvers, and where it ends."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import Solver, drift, euler_step, flow, heun_step, move, noise_clock, stops
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import ddim_step, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import assert_mean, assert_variance, close, generator
from tests.test_diffusion import Fixed

FINE = linear_schedule(4096)
DIFFUSION = GaussianDiffusion(FINE)
MIXTURE = GaussianMixture(
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.tensor([0.2, 0.4]).double(),
    torch.tensor([0.3, 0.7]).double(),
)
ORACLE = OracleDenoiser(MIXTURE, FINE.alpha_bar)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def end(step: Solver, xT: Tensor, steps: int, oracle: OracleDenoiser = ORACLE) -> Tensor:
    *_, (t, x) = flow(oracle, DIFFUSION, xT, step=step, steps=steps)
    assert t == 0
    return x


@pytest.mark.parametrize("schedule", [linear_schedule(1000), cosine_schedule(1000)], ids=["linear", "cosine"])
@pytest.mark.parametrize(("t", "s"), [(1, 0), (2, 1), (500, 499), (60, 40), (699, 0), (900, 201)])
@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.equation("eq-ode")
def test_eulers_step_is_ddim_without_noise(schedule, t: int, s: int, clip: bool) -> None:
    diffusion, xt, eps = GaussianDiffusion(schedule), normal(3, 4), normal(3, 4, seed=1)
    network = Fixed(eps)
    x0_hat, eps_hat = diffusion.denoise(network, xt, t, clip=clip)
    size = max(1.0, float(x0_hat.abs().max()))
    found = euler_step(network, diffusion, xt, t, s, clip=clip)
    close(found, ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, normal(3, 4, seed=2)), 1e-12 * size)
    # and Euler's step it is, in the variables of the equation
    rho, root = noise_clock(schedule), schedule.alpha_bar.sqrt()
    u = xt / root[t] + (rho[s] - rho[t]) * eps_hat
    close(found, root[s] * u, 1e-12 * size)


@pytest.mark.equation("eq-ode")
def test_the_velocity_is_that_of_the_score_sde() -> None:
    """dx/dt = -beta(t) (x + score) / 2 (Song et al. 2021, eq. 13): both go the same way in a short step."""
    xt = normal(200, 2)
    for t in (400, 2000, 4000):
        beta = float(FINE.beta[t])
        score = DIFFUSION.score(xt, t, ORACLE(xt, torch.full((200,), t)))
        by_sde = beta / 2 * (xt + score)  # one step back
        by_flow = euler_step(ORACLE, DIFFUSION, xt, t, t - 1) - xt
        assert float((by_flow - by_sde).abs().max()) < 5 * beta * float(by_sde.abs().max())


@pytest.mark.equation("eq-ode")
@pytest.mark.parametrize(("step", "order"), [(euler_step, 1), (heun_step, 2)])
def test_the_flow_of_gaussian_data_is_known_and_reached_at_the_solvers_order(
    step: Solver, order: int
) -> None:
    """For N(m, v) the lines are scaled: u - m = (u_T - m) sqrt((v + rho^2) / (v + rho_T^2))."""
    m, v = 0.7, 0.5
    data = GaussianMixture(
        torch.full((1, 2), m).double(), torch.full((1,), math.sqrt(v)).double(), torch.ones(1).double()
    )
    oracle, xT, t = OracleDenoiser(data, FINE.alpha_bar), normal(50, 2), 3072
    rho, root = noise_clock(FINE), FINE.alpha_bar.sqrt()
    errors = []
    for stride in (64, 32, 16, 8):
        x = xT
        for k in range(t, 1024, -stride):
            x = step(oracle, DIFFUSION, x, k, k - stride)
        scale = ((v + rho[1024] ** 2) / (v + rho[t] ** 2)).sqrt()
        truth = root[1024] * (m + (xT / root[t] - m) * scale)
        errors.append(float((x - truth).abs().max()))
    assert errors[-1] < 0.01
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize(("step", "steps", "calls"), [(euler_step, 10, 10), (heun_step, 10, 19)])
def test_the_network_is_called_once_or_twice_a_step_and_never_at_0(
    step: Solver, steps: int, calls: int
) -> None:
    seen: list[int] = []

    class Counting:
        predicts = "eps"

        def __call__(self, xt: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            seen.extend(t[:1].tolist())
            return ORACLE(xt, t)

    *_, last = flow(Counting(), DIFFUSION, normal(2, 2), step=step, steps=steps)
    assert last[0] == 0
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


def test_flow_goes_through_the_times_of_the_samplers_and_repeats_itself() -> None:
    xT = normal(3, 2)
    states = list(flow(ORACLE, DIFFUSION, xT, steps=7))
    assert [t for t, _ in states] == timesteps(4096, 7)
    assert torch.equal(states[0][1], xT)
    again = list(flow(ORACLE, DIFFUSION, xT, steps=7))
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(states, again, strict=True))
    assert not torch.is_inference_mode_enabled()


def test_the_line_through_a_point_with_the_true_velocity_leads_to_q_sample() -> None:
    x0, eps = normal(3, 4), normal(3, 4, seed=1)
    for t, s in ((4096, 1), (3000, 10), (20, 0)):
        xt = DIFFUSION.q_sample(x0, t, eps)
        close(move(DIFFUSION, xt, t, s, eps), DIFFUSION.q_sample(x0, s, eps), 1e-10)
    close(drift(Fixed(eps), DIFFUSION, xt, 20), eps, 1e-15)
    assert float(noise_clock(FINE)[0]) == 0
    close(noise_clock(FINE)[1:] ** -2, FINE.snr[1:], 1e-6 * float(FINE.snr[1]))


@pytest.mark.parametrize("power", [1.0, 3.0, 7.0])
def test_stops_are_even_on_the_scale_of_their_power(power: float) -> None:
    path = stops(FINE, 12, power)
    assert path[0] == 4096
    assert path[-2:] == [1, 0]
    assert len(path) == 13 or power == 1.0  # where the last stops of 12 fall together
    assert all(t > s for t, s in pairwise(path))
    scale = noise_clock(FINE)[path[:-1]] ** (1 / power)
    if power == 7.0:
        strides = -scale.diff()
        close(strides, strides.mean().expand(11), 0.06 * float(strides.mean()))


def test_heun_with_stops_of_its_own_needs_fewer_calls() -> None:
    xT = normal(200, 2, seed=3)
    truth = end(heun_step, xT, 1024)
    *_, (_, x) = flow(ORACLE, DIFFUSION, xT, path=stops(FINE, 32))
    assert (x - truth).abs().mean() < 0.5 * (end(euler_step, xT, 63) - truth).abs().mean()


@pytest.mark.parametrize("steps", [0, 1, 4097])
def test_a_number_of_stops_that_does_not_fit_is_refused(steps: int) -> None:
    with pytest.raises(
        ValueError, match=f"Cannot make {steps} strides in a chain of T = 4096: pass 2 to 4096"
    ):
        stops(FINE, steps)
