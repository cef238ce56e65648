"""The clouds of points are reproducible, of the promised shape and scale, and where they should be."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ddpm_lib.data.toys import TOYS, checkerboard, gaussian_ring, spiral, two_moons

Toy = Callable[[int, int], Tensor]


@pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS)
def test_a_toy_is_standardised_and_reproducible(toy: Toy) -> None:
    points = toy(100_000, 3)
    assert points.shape == (100_000, 2)
    assert points.dtype == torch.float32
    assert points.mean(0).abs().max() < 0.02
    assert (points.var(0) - 1).abs().max() < 0.02
    assert torch.equal(toy(100, 3), toy(100, 3))
    assert not torch.equal(toy(100, 3), toy(100, 4))


def test_the_moons_are_two_half_circles() -> None:
    points = two_moons(5000, 0) * torch.tensor([0.868, 0.498]) + torch.tensor([0.5, 0.25])
    upper = (points.norm(dim=1) - 1).abs() < 0.3
    lower = ((points - torch.tensor([1.0, 0.5])).norm(dim=1) - 1).abs() < 0.3
    assert bool((upper | lower).all())
    assert 0.4 < upper.float().mean() < 0.6


def test_the_spiral_winds_one_and_a_half_turns() -> None:
    points = spiral(20_000, 0) * torch.tensor([4.785, 4.235]) + torch.tensor([-0.424, 1.910])
    assert 3 * math.pi < points.norm(dim=1).max() < 3 * math.pi + 2
    # Along a ray from the center the arm is met every full turn: near 2 pi to the right, pi and 3 pi to the left.
    right = points[(points[:, 1].abs() < 0.5) & (points[:, 0] > 3)]
    left = points[(points[:, 1].abs() < 0.3) & (points[:, 0] < -1)]
    assert abs(right[:, 0].mean() - 2 * math.pi) < 0.2
    assert bool((((left[:, 0] + math.pi).abs() < 1.6) | ((left[:, 0] + 3 * math.pi).abs() < 1.6)).all())


def test_the_checkerboard_fills_every_other_square_evenly() -> None:
    cell = (checkerboard(80_000, 0) * math.sqrt(4 / 3) + 2).floor().long()
    assert bool(((cell >= 0) & (cell < 4)).all())
    assert bool((cell.sum(1) % 2 == 0).all())
    counts = torch.bincount(4 * cell[:, 0] + cell[:, 1], minlength=16)
    full = counts[counts > 0]
    assert len(full) == 8
    assert (full - 10_000).abs().max() < 4 * math.sqrt(10_000)


def test_the_ring_has_eight_small_gaussians() -> None:
    points = gaussian_ring(80_000, 0) * math.sqrt(0.51)
    angle = torch.atan2(points[:, 1], points[:, 0])
    nearest = (angle / (math.pi / 4)).round().long() % 8
    center = torch.stack([(nearest * math.pi / 4).cos(), (nearest * math.pi / 4).sin()], dim=1)
    assert torch.bincount(nearest).min() > 9_500
    assert abs((points - center).std() - 0.1) < 0.002
