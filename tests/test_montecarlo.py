"""Distances in standard errors: known by hand, honest for honest draws, and large for a wrong expectation."""

import math

import pytest
import torch

from ddpm_lib.evaluate.montecarlo import normals, off, share_off


def test_off_by_hand() -> None:
    draws = torch.tensor([-1.0, 1.0], dtype=torch.float64)  # mean 0, variance 2
    mean_off, variance_off = off(draws, mean=1.0, variance=4.0)
    assert mean_off == pytest.approx(-1 / math.sqrt(2))
    assert variance_off == pytest.approx(-2 / 4)


def test_off_is_a_standard_normal_number_for_honest_draws() -> None:
    normal = normals(seed=1)
    offs = torch.tensor([off(0.3 + 0.5 * normal(2000), 0.3, 0.25) for _ in range(400)])
    assert offs.mean(0).abs().max() < 4 / math.sqrt(400)
    assert (offs.std(0) - 1).abs().max() < 4 / math.sqrt(2 * 400)


@pytest.mark.parametrize(("mean", "variance"), [(0.1, 1.0), (0.0, 1.1)])
def test_off_notices_a_tenth(mean: float, variance: float) -> None:
    assert max(map(abs, off(normals(seed=2)(50_000), mean, variance))) > 10


def test_share_off_by_hand() -> None:
    assert share_off(0.6, 0.5, 100) == pytest.approx(2.0)
    assert share_off(torch.tensor(0.4), 0.5, 25) == pytest.approx(-1.0)


def test_normals_repeat_with_their_seed() -> None:
    assert torch.equal(normals(5)(3, 2), normals(5)(3, 2))
    assert not torch.equal(normals(5)(3, 2), normals(6)(3, 2))
    assert normals(5)(4).dtype == torch.float64
