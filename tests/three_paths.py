"""Three paths from data to noise, and an oracle on them."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import OracleDenoiser
from ddpm_lib.schedule import cosine_schedule
from tests.mixture import MIXTURE as MIXTURE

SCHEDULE = cosine_schedule(500)
DIFFUSION = GaussianDiffusion(SCHEDULE)
ORACLE = OracleDenoiser(MIXTURE, SCHEDULE.alpha_bar)
TIMES = (1, 40, 250, 420, 499)


def each(t: int, n: int) -> Tensor:
    return torch.full((n,), t)
