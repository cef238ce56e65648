"""diffusers' schedulers with our tables, for the tests that compare."""

from __future__ import annotations

import pytest

from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import unchecked

SCHEDULES = {"linear": linear_schedule(1000), "squaredcos_cap_v2": cosine_schedule(1000)}
BOTH = pytest.mark.parametrize("name", list(SCHEDULES))


def theirs(cls, name, **options):
    """A scheduler of theirs on the same chain, in their own float32 tables."""
    return cls(
        num_train_timesteps=1000,
        beta_schedule=name,
        beta_start=1e-4,
        beta_end=0.02,
        timestep_spacing="trailing",
        clip_sample_range=1.0,
        **options,
    )


def in_float64(scheduler):
    """The same scheduler with tables that were multiplied up in float64, to compare beyond float32."""
    scheduler.alphas = 1 - scheduler.betas.double()
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)
    return scheduler


@pytest.fixture(autouse=True)
def quick():
    """A thousand steps are slow under the shape checks of conftest.py, which other tests do."""
    with unchecked():
        yield
