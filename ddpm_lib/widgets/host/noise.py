"""Gaussian noise that Python and the page draw alike, so that a seed names one picture in both.

Torch's generator does not exist in a browser. This one is a dozen lines in either language: mulberry32
for uniform numbers, the Box-Muller transform for Gaussian ones. `noise` in `noise.js` mirrors it.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float64
from numpy.typing import NDArray
from torch import Tensor

SEEDS = 2**31  # seeds run from 0 to SEEDS - 1


def uniforms(seed: int, n: int) -> NDArray[np.float64]:
    """The first n outputs of mulberry32: 32-bit uniforms in [0, 1)."""
    # The k-th state is seed + k * 0x6D2B79F5 modulo 2^32, so all of them are drawn at once.
    a = np.uint32(seed) + np.arange(1, n + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
    x = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
    x ^= x + (x ^ (x >> np.uint32(7))) * (x | np.uint32(61))
    bits: NDArray[np.uint32] = x ^ (x >> np.uint32(14))
    return bits / 2**32


def noise(seed: int, shape: tuple[int, ...]) -> Float64[Tensor, "..."]:
    """Standard Gaussian noise of this shape."""
    n = math.prod(shape)
    u = uniforms(seed, n + n % 2)
    radius = np.sqrt(-2 * np.log(1 - u[0::2]))
    angle = 2 * np.pi * u[1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return torch.from_numpy(pairs.ravel()[:n].copy()).reshape(shape)
