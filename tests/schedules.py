"""The schedules that the tests go through."""

from __future__ import annotations

from hypothesis import strategies as st

from ddpm_lib.schedule import (
    cosine_schedule,
    linear_schedule,
    scaled_linear_schedule,
)

ALL = [linear_schedule, scaled_linear_schedule, cosine_schedule]
betas = st.lists(st.floats(1e-6, 0.999), min_size=1, max_size=60)
