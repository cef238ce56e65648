"""What several tests need: tolerances in standard errors, and the library as a user without checks meets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import config
from torch import Tensor


@contextmanager
def unchecked() -> Iterator[None]:
    """Without the shape checks of conftest.py: the library's own sentence has to come out."""
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", False)


def assert_mean(draws: Tensor, mean: Tensor | float, errors: float = 5.0) -> None:
    """Each column's mean lies within `errors` standard errors of the true one (5: one in 3.5 million)."""
    n = len(draws)
    tolerance = errors * draws.std(0) / n**0.5
    off = (draws.mean(0) - mean).abs()
    assert bool((off <= tolerance).all()), f"mean off by {off} at a tolerance of {tolerance}"


def assert_variance(draws: Tensor, variance: Tensor | float, errors: float = 5.0) -> None:
    """Each column's variance lies within `errors` standard errors, sqrt((m4 - m2^2) / n), of the true one."""
    n = len(draws)
    square = (draws - draws.mean(0)).square()
    tolerance = errors * square.std(0) / n**0.5
    off = (square.mean(0) - variance).abs()
    assert bool((off <= tolerance).all()), f"variance off by {off} at a tolerance of {tolerance}"


def close(a: Tensor, b: Tensor, tolerance: float) -> None:
    """The largest difference of two tensors of one shape is below `tolerance`, and nothing is NaN."""
    assert a.shape == b.shape
    off = float((a - b).detach().abs().max())
    assert off < tolerance, f"off by {off:g}, more than {tolerance:g}"


def generator(seed: int) -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal draws, the same for the same seed."""
    return torch.randn(shape, generator=generator(seed), dtype=dtype)
