"""Karras' times: even on the scale of their power, and fewer calls for Heun."""

from itertools import pairwise

import pytest

from ddpm_lib.flow import euler_step, heun_step, karras_timesteps, noise_level
from tests.helpers import close, normal
from tests.walks import FINE, end


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
