"""Checks with random draws: how far a measured average lies from the expected one, in standard errors.

A standard error is the typical distance. An honest average is more than four of them away once in 16,000 times,
so the book's checks allow four.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Float64
from torch import Tensor


def normals(seed: int) -> Callable[..., Float64[Tensor, "..."]]:
    """A source of standard normal draws in float64: `normal = normals(seed=0)`, then `normal(*shape)`."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Float64[Tensor, "..."]:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return normal


def off(draws: Float[Tensor, "..."], mean: float | Tensor, variance: float | Tensor) -> tuple[float, float]:
    """Distances of the sample's mean and variance from those of N(mean, variance), in standard errors.

    For n draws the standard error of the mean is sigma / sqrt(n), and that of the variance sigma^2 sqrt(2 / n).
    """
    n, variance = draws.numel(), float(variance)
    mean_off = (float(draws.mean()) - float(mean)) / math.sqrt(variance / n)
    variance_off = (float(draws.var()) - variance) / (variance * math.sqrt(2 / n))
    return mean_off, variance_off


def share_off(share: float | Tensor, expected: float, n: int) -> float:
    """Distance of a share counted among n draws from the expected share p; the error is sqrt(p (1 - p) / n)."""
    return (float(share) - expected) / math.sqrt(expected * (1 - expected) / n)
