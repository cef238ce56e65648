"""The data of the page that trains: sets of points in the plane, small enough that the exact answer is known."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.data.toys import spiral, two_moons
from ddpm_lib.widgets.cloud.points import FINE, clean

# The strokes of an R, in units of half its height.
R = (((-0.6, -1), (-0.6, 1)), ((0, 0), (0.65, -1)), ((-0.6, 1), (0.1, 1)), ((-0.6, 0), (0.1, 0)))
BOW = ((0.1, 0.5), 0.5)  # center and radius of its half circle


def rings(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """Two circles, one inside the other; of two points the outer gets more, by its length."""
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    radius = torch.where(torch.rand(n, generator=generator) < 1.7 / 2.4, 1.7, 0.7)
    circle = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    return circle + 0.04 * torch.randn(n, 2, generator=generator)


def letter(n: int, seed: int = 0) -> Float[Tensor, "n 2"]:
    """The letter R, its strokes as long as they are likely."""
    generator = torch.Generator().manual_seed(seed)
    lines = torch.tensor(R)
    lengths = [*(lines[:, 1] - lines[:, 0]).norm(dim=1).tolist(), math.pi * BOW[1]]
    which = torch.multinomial(torch.tensor(lengths), n, replacement=True, generator=generator)
    along = torch.rand(n, 1, generator=generator)
    line = lines[which.clamp(max=len(R) - 1)]
    straight = line[:, 0] + along * (line[:, 1] - line[:, 0])
    angle = math.pi * (along - 0.5)
    bow = torch.tensor(BOW[0]) + BOW[1] * torch.cat([angle.cos(), angle.sin()], dim=1)
    x = torch.where((which == len(R))[:, None], bow, straight)
    return 1.6 * x + 0.04 * torch.randn(n, 2, generator=generator)


def shapes(n: int = 500) -> dict[str, Float[Tensor, "n 2"]]:
    """The shapes that the page offers."""
    return {
        "moons": two_moons(n),
        "rings": rings(n),
        "spiral": spiral(n),
        "letter": letter(n),
    }


def sent(points: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The points as a page has them, in units of 1 / FINE. Raises ValueError for others."""
    if not points:
        raise ValueError("There are no points to learn: pass at least one set, as {name: (n, 2) points}.")
    return {str(name): clean(name, x).to(torch.int16) for name, x in points.items()}


def seen(whole: Tensor) -> Float[Tensor, "n 2"]:
    """The points that the page trains on."""
    return whole.float() / FINE
