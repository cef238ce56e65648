"""Clouds of points in the plane: data small enough to see all of a distribution at once.

Each toy is (n, seed) -> (n, 2), float32, with mean near 0 and variance near 1 along each axis, the scale on
which the forward process works.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def two_moons(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """Two interleaved half circles."""
    generator = torch.Generator().manual_seed(seed)
    angle = math.pi * torch.rand(n, generator=generator)
    upper = torch.rand(n, generator=generator) < 0.5
    x = torch.where(upper, angle.cos(), 1 - angle.cos())
    y = torch.where(upper, angle.sin(), 0.5 - angle.sin())
    noise = 0.06 * torch.randn(n, 2, generator=generator)
    center, spread = torch.tensor([0.5, 0.25]), torch.tensor([0.868, 0.498])
    return (torch.stack([x, y], dim=1) + noise - center) / spread


def spiral(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """One arm that winds out from the center, one and a half turns."""
    generator = torch.Generator().manual_seed(seed)
    angle = 3 * math.pi * torch.rand(n, generator=generator).sqrt()
    arm = torch.stack([angle * angle.cos(), angle * angle.sin()], dim=1)
    noise = 0.35 * torch.randn(n, 2, generator=generator)
    return (arm + noise - torch.tensor([-0.424, 1.910])) / torch.tensor([4.785, 4.235])


def checkerboard(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """The dark squares of a board of four by four, each filled evenly."""
    generator = torch.Generator().manual_seed(seed)
    x = 4 * torch.rand(n, generator=generator)
    row = 2 * torch.randint(2, (n,), generator=generator) + x.floor() % 2
    y = row + torch.rand(n, generator=generator)
    return (torch.stack([x, y], dim=1) - 2) / math.sqrt(4 / 3)


def gaussian_ring(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """Eight small Gaussians on a circle."""
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi / 8 * torch.randint(8, (n,), generator=generator)
    center = torch.stack([angle.cos(), angle.sin()], dim=1)
    noise = 0.1 * torch.randn(n, 2, generator=generator)
    return (center + noise) / math.sqrt(0.5 + 0.01)


TOYS: dict[str, Callable[[int, int], Float[Tensor, "n 2"]]] = {
    "two moons": two_moons,
    "spiral": spiral,
    "checkerboard": checkerboard,
    "gaussian ring": gaussian_ring,
}
