"""Editing: where a walk begins, what is kept, the way back to noise, the arc."""

import math
from functools import partial

import pytest
import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import Inpaint, edit_from, invert, slerp, start_times
from ddpm_lib.evaluate.generate import last
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import Noise, ddim_step, ddpm_step, sample_from
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.fixed import Fixed
from tests.helpers import close, generator

DIFFUSION = GaussianDiffusion(cosine_schedule(200))
TWO = GaussianMixture(
    torch.tensor([[-0.6, 0.7], [0.6, -0.7]]).double(),
    torch.tensor([0.35, 0.35]).double(),
    torch.tensor([0.5, 0.5]).double(),
)
ORACLE = OracleDenoiser(TWO, DIFFUSION.schedule.alpha_bar)
KNOWN = torch.tensor([True, False])


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


class Draws:
    """Fresh noise of one shape, again and again."""

    def __init__(self, *shape: int, seed: int = 0) -> None:
        self.shape, self.generator = shape, generator(seed)

    def __call__(self) -> Tensor:
        return torch.randn(self.shape, generator=self.generator, dtype=torch.float64)


@pytest.mark.equation("eq-edit-start")
def test_a_late_start_begins_with_the_image_noised_to_that_time() -> None:
    x0 = normal(3, 1, 4, 4).float()
    states = list(
        edit_from(Fixed(torch.zeros(3, 1, 4, 4)), DIFFUSION, x0, 60, seeds=range(3), steps=6, clip=False)
    )
    assert [state.t for state in states] == [60, 50, 40, 30, 20, 10, 0]
    eps = Noise(range(3), (1, 4, 4))()
    close(states[0].xt, DIFFUSION.q_sample(x0, 60, eps), 1e-6)


def test_an_early_start_keeps_the_image_and_a_late_one_forgets_it() -> None:
    x0 = torch.full((400, 2), 0.5).double()
    ends = []
    for start in (10, 100, 200):
        noise = Draws(400, 2)
        xt = DIFFUSION.q_sample(x0, start, noise())
        path = start_times(200, start, 50)
        ends.append(
            last(sample_from(ORACLE, DIFFUSION, xt, noise=noise, step=ddpm_step, steps=path, clip=False)).xt
        )
    moved = [float((end - x0).square().mean()) for end in ends]
    assert moved[0] < moved[1] < moved[2]
    # at the very end nothing is left of the image: what is drawn has the mixture's own spread about it
    everywhere = float((TWO.draw(20_000, generator(3)) - 0.5).square().mean())
    assert moved[2] == pytest.approx(everywhere, rel=0.1)


def test_a_walk_of_few_times_takes_each_once() -> None:
    assert start_times(500, 3, 50) == [3, 2, 1, 0]
    assert start_times(500, 4) == [4, 3, 2, 1, 0]
    for start in (0, 501, -1):
        with pytest.raises(ValueError, match=r"1 \.\.\. 500"):
            start_times(500, start)


@pytest.mark.equation("eq-replace")
@pytest.mark.parametrize("step", [ddpm_step, ddim_step])
def test_known_entries_are_noised_and_the_others_are_the_steps_own(step) -> None:
    never = partial(DIFFUSION.denoise, None)
    x0, xt, eps, z = (normal(5, 2, seed=seed) for seed in range(4))
    x0_hat, eps_hat = DIFFUSION.denoise(Fixed(eps), xt, 90, clip=False)
    xs = Inpaint(x0, KNOWN, step=step)(DIFFUSION, xt, 90, 40, x0_hat, eps_hat, z, never)
    plain = step(DIFFUSION, xt, 90, 40, x0_hat, eps_hat, z, never)
    close(xs[:, 1], plain[:, 1], 1e-12)
    close(xs[:, 0], DIFFUSION.q_sample(x0, 40, z)[:, 0], 1e-12)
    at_the_end = Inpaint(x0, KNOWN, step=step)(DIFFUSION, xt, 90, 0, x0_hat, eps_hat, z, never)
    close(at_the_end[:, 0], x0[:, 0], 1e-12)


def above(resample: int) -> float:
    """The share of draws in the upper half, given x_1 = 0.3."""
    n = 1500
    x0, noise = torch.zeros(n, 2).double(), Draws(n, 2)
    x0[:, 0] = 0.3
    step = Inpaint(x0, KNOWN, noise, resample=resample)
    x = last(sample_from(ORACLE, DIFFUSION, noise(), noise=noise, step=step, steps=50, clip=False)).xt
    close(x[:, 0], x0[:, 0], 1e-9)
    return float((x[:, 1] > 0).double().mean())


@pytest.mark.equation("eq-replace")
def test_replacing_is_not_the_conditional_and_resampling_comes_nearer() -> None:
    far = TWO.means[:, 0] - 0.3
    exact = float((-far.square() / (2 * 0.35**2)).softmax(0)[0])
    once, often = above(1), above(10)
    # three standard errors of a share of 1,500 are below 0.04
    assert once > exact + 0.2
    assert exact + 0.01 < often < once - 0.1


def test_resampling_needs_noise_and_a_number() -> None:
    x0 = torch.zeros(1, 2)
    for wrong in ({"resample": 0}, {"resample": 2}):
        with pytest.raises(ValueError, match="resample"):
            Inpaint(x0, KNOWN, **wrong)


@pytest.mark.equation("eq-invert")
def test_the_way_back_and_forth_ends_where_it_began_as_steps_grow() -> None:
    diffusion = GaussianDiffusion(linear_schedule(800))
    oracle = OracleDenoiser(TWO, diffusion.schedule.alpha_bar)
    x0 = TWO.draw(300, generator(1))
    off = []
    for steps in (50, 200, 800):
        xT = last(invert(oracle, diffusion, x0, steps=steps))
        assert xT.t == 800
        back = last(sample_from(oracle, diffusion, xT.xt, step=ddim_step, steps=steps, clip=False)).xt
        off.append(float((back - x0).square().mean().sqrt()))
    # an error of first order: four times the steps, about a quarter of it
    assert off[1] < off[0] / 2.5
    assert off[2] < off[1] / 2.5
    assert off[2] < 0.02
    # and the noise that it finds is noise
    assert xT.xt.mean().abs() < 0.15
    assert xT.xt.std() == pytest.approx(1, abs=0.1)


@pytest.mark.equation("eq-invert")
def test_each_step_back_is_eulers_with_the_slope_at_the_time_it_goes_to() -> None:
    asked = []

    class Network(Fixed):
        def __call__(self, xt: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            asked.append(int(t[0]))
            return super().__call__(xt, t, y)

    x0, eps = normal(2, 3), normal(2, 3, seed=1)
    states = list(invert(Network(eps), DIFFUSION, x0, steps=4))
    assert [state.t for state in states] == [0, *asked] == [0, 50, 100, 150, 200]
    # a constant eps_hat: all steps lie on one line, and x_T is a draw of q with that noise
    close(states[2].xt, DIFFUSION.q_sample(x0, 100, eps), 1e-12)


@pytest.mark.equation("eq-slerp")
def test_the_arc_keeps_noise_noise() -> None:
    a, b = normal(2, 1, 300, 300), normal(2, 1, 300, 300, seed=1)
    close(slerp(a, b, 0.0), a, 1e-12)
    close(slerp(a, b, 1.0), b, 1e-12)
    for share in (0.25, 0.5, 0.9):
        assert slerp(a, b, share).std() == pytest.approx(1, abs=0.01)
    assert torch.lerp(a, b, 0.5).std() == pytest.approx(math.sqrt(0.5), abs=0.01)
    close(slerp(a, a, 0.5), a, 1e-5)
