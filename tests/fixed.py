"""Diffusions of several schedules, and a denoiser with a fixed answer."""

from __future__ import annotations

import pytest

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import cosine_schedule, linear_schedule

LINEAR, COSINE = GaussianDiffusion(linear_schedule(1000)), GaussianDiffusion(cosine_schedule(1000))
BOTH = pytest.mark.parametrize("diffusion", [LINEAR, COSINE], ids=["linear", "cosine"])
STRIDES = [(1, 0), (2, 1), (500, 499), (1000, 999), (20, 0), (60, 40), (1000, 980), (699, 0), (1000, 301)]


class Fixed:
    """A denoiser that always puts out the same, and remembers what it was asked."""

    def __init__(self, output, predicts="eps"):
        self.output, self.predicts, self.asked = output, predicts, None

    def __call__(self, xt, t, y=None):
        self.asked = (xt, t, y)
        return self.output
