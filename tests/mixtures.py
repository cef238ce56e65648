"""A mixture of Gaussians in the plane and its table of alpha_bar, for the tests of the oracle."""

from __future__ import annotations

import torch

from ddpm_lib.models import OracleDenoiser
from ddpm_lib.schedule import cosine_schedule


def table(*rows):
    return torch.tensor(rows, dtype=torch.float64)


SCHEDULE = cosine_schedule(200)


def oracle(mixture, schedule=SCHEDULE):
    return OracleDenoiser(mixture, schedule.alpha_bar)
