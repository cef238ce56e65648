"""A Gaussian whose likelihood is known, on a short schedule."""

from __future__ import annotations

import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.schedule import linear_schedule

SCHEDULE = linear_schedule(30)
DIFFUSION = GaussianDiffusion(SCHEDULE)


def one_gaussian(std: float, mean: float = 0.0) -> OracleDenoiser:
    parts = (torch.tensor(part, dtype=torch.float64) for part in ([[mean]], [std], [1.0]))
    return OracleDenoiser(GaussianMixture(*parts), SCHEDULE.alpha_bar)
