"""One idea under many names: each change of variables is exact, and leads back where it came from."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from ddpm_lib import bound
from ddpm_lib.flow import noise_level, straight_timesteps
from ddpm_lib.further.names import (
    FromVelocity,
    Scales,
    VelocityField,
    from_velocity,
    rescale,
    sigma_at,
    straight,
    straightness,
    vae_term,
    variance_exploding,
    variance_preserving,
    velocity,
)
from ddpm_lib.sampling import ddim_step, sample_from, timesteps
from tests.helpers import close, normal
from tests.three_paths import DIFFUSION, ORACLE, SCHEDULE, TIMES, each

PATHS = {"vp": variance_preserving, "ve": variance_exploding, "straight": straight}


@pytest.mark.equation("eq-rescale")
@pytest.mark.parametrize("here", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("there", PATHS.values(), ids=PATHS)
def test_a_state_goes_to_another_path_and_back(here: Scales, there: Scales) -> None:
    x0, eps = normal(5, 3), normal(5, 3, seed=1)
    for t in TIMES:
        sigma = noise_level(SCHEDULE)[t]
        a, s = here(sigma)
        x = a * x0 + s * eps
        other = rescale(x, sigma, here, there)
        a, s = there(sigma)
        # the noise of the other path, at the same sigma, and back again
        close(other, a * x0 + s * eps, 1e-9)
        assert float(s / a) == pytest.approx(float(sigma))
        close(rescale(other, sigma, there, here), x, 1e-9)


def test_the_first_path_is_ddpm_and_the_second_edm() -> None:
    x0, eps, t = normal(6, 3), normal(6, 3, seed=1), torch.tensor([1, 7, 90, 250, 400, 499])
    sigma = sigma_at(DIFFUSION, t, x0)
    close(sigma[:, 0], noise_level(SCHEDULE)[t], 1e-9)
    a, s = variance_preserving(sigma)
    xt = DIFFUSION.q_sample(x0, t, eps)
    close(a * x0 + s * eps, xt, 1e-12)
    close(rescale(xt, sigma, variance_preserving, variance_exploding), x0 + sigma * eps, 1e-8)


@pytest.mark.equation("eq-from-velocity")
def test_velocity_eps_and_x0_are_one() -> None:
    x0, eps = normal(5, 3), normal(5, 3, seed=1)
    for t in TIMES:
        a, tau = straight(noise_level(SCHEDULE)[t])
        z = a * x0 + tau * eps
        found = from_velocity(z, tau, velocity(x0, eps))
        close(found[0], x0, 1e-12)
        close(found[1], eps, 1e-12)
        # v is the same guess on DDPM's path: a multiple of the velocity and of the state
        a, s = variance_preserving(noise_level(SCHEDULE)[t])
        v = (a - s) * z + velocity(x0, eps) / (a + s)
        close(v, DIFFUSION.predict_v(x0, t, eps), 1e-12)


@pytest.mark.equation("eq-velocity")
def test_the_slopes_of_the_three_paths_are_eps_v_and_u() -> None:
    """Each is the derivative of the state on its own clock: sigma, the angle, tau."""
    x0, eps, h = normal(5, 3), normal(5, 3, seed=1), 1e-5

    def state(scales: Scales, sigma: float) -> Tensor:
        a, s = scales(torch.tensor(sigma, dtype=torch.float64))
        return a * x0 + s * eps

    for t in (40, 250, 420):
        at = float(noise_level(SCHEDULE)[t])
        clocks = {
            variance_exploding: (lambda c: c, at, eps),
            variance_preserving: (math.tan, math.atan(at), DIFFUSION.predict_v(x0, t, eps)),
            straight: (lambda c: c / (1 - c), at / (1 + at), velocity(x0, eps)),
        }
        for scales, (sigma_of, clock, slope) in clocks.items():
            ahead, behind = (state(scales, sigma_of(clock + d)) for d in (h, -h))
            close((ahead - behind) / (2 * h), slope, 1e-6)


@pytest.mark.parametrize("clip", [True, False])
def test_a_denoiser_read_as_a_velocity_and_read_back_is_itself(clip: bool) -> None:
    field = VelocityField(ORACLE, DIFFUSION, clip)
    for t in TIMES:
        xt = normal(20, 2)
        there_and_back = FromVelocity(field, DIFFUSION)
        assert there_and_back.predicts == "x0"
        x0_hat, eps_hat = DIFFUSION.denoise(ORACLE, xt, t, clip=clip)
        again = DIFFUSION.denoise(there_and_back, xt, t, clip=False)
        size = 1 + float(x0_hat.abs().max())
        close(again[0], x0_hat, 1e-9 * size)
        close(again[1], eps_hat, 1e-6)


def test_an_euler_step_along_the_velocity_is_ddim() -> None:
    """Not in a limit: at any stride, since both keep x0_hat and eps_hat."""
    field, sigma = VelocityField(ORACLE, DIFFUSION), noise_level(SCHEDULE)
    xT = normal(50, 2)
    for path in (timesteps(500, 7), straight_timesteps(SCHEDULE, 7)):
        z = rescale(xT, sigma[500], variance_preserving, straight)
        for t, s in pairwise(path):
            z = z + (straight(sigma[s])[1] - straight(sigma[t])[1]) * field(z, each(t, 50))
        *_, end = sample_from(ORACLE, DIFFUSION, xT, step=ddim_step, steps=path, clip=False)
        close(z, end.xt, 1e-7)


@pytest.mark.equation("eq-vae-term")
def test_a_layer_of_the_hierarchical_vae_is_a_term_of_the_bound() -> None:
    x0, eps = normal(8, 2), normal(8, 2, seed=1)
    for t in (2, 30, 250, 490):
        xt = DIFFUSION.q_sample(x0, t, eps)
        x0_hat = DIFFUSION.predict_x0(xt, t, ORACLE(xt, each(t, 8)))
        term = bound.step_term(ORACLE, DIFFUSION, x0, t, eps, clip=False)
        close(vae_term(DIFFUSION, x0, x0_hat, t, t - 1), term, 1e-7 * (1 + float(term.max())))
    # where the guess does not change, many layers cost what one does
    one = vae_term(DIFFUSION, x0, 0 * x0, 400, 100)
    many = sum(vae_term(DIFFUSION, x0, 0 * x0, t, t - 1) for t in range(101, 401))
    close(one, torch.as_tensor(many), 1e-9 * float(one.max()))


@pytest.mark.equation("eq-straightness")
def test_straightness_is_zero_on_a_line_and_known_on_a_circle() -> None:
    tau = torch.linspace(1, 0, 201).double()
    line = (1 - tau)[:, None, None] * normal(4, 3) + tau[:, None, None] * normal(4, 3, seed=1)
    close(straightness(line, tau), torch.zeros(4).double(), 1e-12)
    turn = math.pi / 2 * tau
    circle = torch.stack([turn.cos(), turn.sin()], dim=-1)[:, None]
    # the speed is pi / 2 throughout, the chord sqrt(2) long: (pi^2 / 4 - 2) / 2
    close(straightness(circle, tau), torch.tensor([math.pi**2 / 8 - 1]).double(), 1e-4)


def test_equal_steps_of_tau_are_as_equal_as_whole_times_allow() -> None:
    path = straight_timesteps(SCHEDULE, 10)
    assert path[0] == 500
    assert path[-1] == 0
    assert len(path) == 11
    tau = straight(noise_level(SCHEDULE)[path])[1]
    close(-tau.diff(), torch.full((10,), 0.1).double(), 0.005)
    with pytest.raises(ValueError, match="Cannot take 501 steps"):
        straight_timesteps(SCHEDULE, 501)
