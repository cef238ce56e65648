"""The times that a sampler visits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddpm_lib.sampling import timesteps


@given(st.integers(1, 3000), st.data())
def test_timesteps_fall_strictly_from_T_to_0_in_nearly_equal_strides(T, data):
    steps = data.draw(st.integers(1, T))
    path = timesteps(T, steps)
    assert path[0] == T
    assert path[-1] == 0
    assert len(path) == steps + 1
    strides = {a - b for a, b in pairwise(path)}
    assert min(strides) >= 1
    assert T / steps - 1 < min(strides)
    assert max(strides) < T / steps + 1


def test_timesteps_are_every_time_by_default_and_multiples_where_steps_divide_T():
    assert timesteps(5) == [5, 4, 3, 2, 1, 0]
    assert timesteps(1000, 4) == [1000, 750, 500, 250, 0]
    assert timesteps(7, 1) == [7, 0]


@pytest.mark.parametrize("steps", [0, -1, 101])
def test_a_number_of_steps_that_does_not_fit_is_refused(steps):
    with pytest.raises(
        ValueError, match=f"Cannot take {steps} steps through a chain of T = 100: pass 1 to 100"
    ):
        timesteps(100, steps)
