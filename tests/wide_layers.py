"""A network whose layers are wide enough for Winograd's convolutions, with random weights."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.models import UNetConfig

NETWORK = UNetConfig(base=8, mults=(1, 2), blocks=1, groups=4, activation="silu")


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
