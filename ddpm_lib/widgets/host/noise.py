"""Gaussian noise that Python and the page draw alike, so that a seed names one picture in both.

It is torch's own, drawn on the CPU as in `ddpm_lib.sampling.Noise`. A browser has no torch: web/normal.js draws the
same numbers there, to 1e-6.
"""

from __future__ import annotations

import torch
from jaxtyping import Float64
from torch import Tensor

# Seeds run from 0 to SEEDS - 1.
SEEDS = 2**31
# The files of `noise` in the page.
NOISE_JS = ("../web/normal.js", "host/noise.js")


def noise(seed: int, shape: tuple[int, ...]) -> Float64[Tensor, "..."]:
    """Standard Gaussian noise of this shape: float32 draws, in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()
