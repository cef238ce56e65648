"""Three paths from data to noise, and an oracle on them."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.schedule import cosine_schedule

SCHEDULE = cosine_schedule(500)
DIFFUSION = GaussianDiffusion(SCHEDULE)
MIXTURE = GaussianMixture(
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.tensor([0.2, 0.4]).double(),
    torch.tensor([0.3, 0.7]).double(),
)
ORACLE = OracleDenoiser(MIXTURE, SCHEDULE.alpha_bar)
TIMES = (1, 40, 250, 420, 499)


def each(t: int, n: int) -> Tensor:
    return torch.full((n,), t)
