"""The metrics against cases whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from ddpm_lib.data import mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.metrics import (
    digit_classes,
    digit_distance,
    distance_and_error,
    frechet_distance,
    loss_by_t,
)
from ddpm_lib.models import ResNet, ResNetConfig
from ddpm_lib.schedule import cosine_schedule


def with_moments(mean: torch.Tensor, root: torch.Tensor, n: int = 64) -> torch.Tensor:
    """n points whose sample mean and covariance are exactly `mean` and root @ root.T."""
    d = len(mean)
    z = torch.randn(n, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    z = z - z.mean(0)
    white = z @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(z.T))).T
    return mean + white @ root.T


def test_frechet_distance_of_two_gaussians_with_a_common_basis() -> None:
    # With commuting covariances it is |m1 - m2|^2 + |sqrt(C1) - sqrt(C2)|^2.
    basis = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    s1, s2 = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([2.0, 2.5, 0.5]).double()
    m1, m2 = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([1.0, 1.0, 0.0]).double()
    a = with_moments(m1, basis * s1 @ basis.T)
    b = with_moments(m2, basis * s2 @ basis.T)
    expected = (m1 - m2).square().sum() + (s1 - s2).square().sum()
    assert frechet_distance(a, b) == pytest.approx(float(expected), rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


@pytest.mark.equation("eq-frechet")
def test_frechet_distance_agrees_with_the_matrix_square_root() -> None:
    from scipy.linalg import sqrtm

    generator = torch.Generator().manual_seed(0)
    a = (
        torch.randn(200, 6, generator=generator, dtype=torch.float64)
        @ torch.randn(6, 6, generator=generator).double()
    )
    b = torch.randn(150, 6, generator=generator, dtype=torch.float64) + 1
    ca, cb = torch.cov(a.T).numpy(), torch.cov(b.T).numpy()
    direct = float((a.mean(0) - b.mean(0)).square().sum()) + (ca + cb - 2 * sqrtm(ca @ cb)).trace().real
    assert frechet_distance(a, b) == pytest.approx(direct, rel=1e-8)


def test_frechet_distance_on_a_line() -> None:
    a, b = torch.tensor([[0.0], [2.0], [4.0]]).double(), torch.tensor([[5.0], [6.0], [7.0]]).double()
    assert frechet_distance(a, b) == pytest.approx((2 - 6) ** 2 + (2 - 1) ** 2)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="take more samples"):
        frechet_distance(torch.randn(5, 8), torch.randn(100, 8))


def test_a_distance_is_told_with_the_spread_of_another_draw() -> None:
    # Far from the floor the distance is |mean_a - mean_b|^2 = 25 with a standard deviation of 2 * 5 / sqrt(n).
    normal = torch.Generator().manual_seed(0)
    b = torch.randn(2000, 2, generator=normal, dtype=torch.float64)
    far = torch.randn(30, 400, 2, generator=normal, dtype=torch.float64) + torch.tensor([3.0, 4.0])
    told = [distance_and_error(a, b) for a in far]
    assert told[0][0] == frechet_distance(far[0], b)
    mean = sum(error for _, error in told) / len(told)
    assert mean == pytest.approx(2 * 5 / math.sqrt(400), rel=0.15)
    assert mean == pytest.approx(float(torch.tensor([d for d, _ in told]).std()), rel=0.4)
    # At the floor it is never told too small.
    near = [distance_and_error(a - torch.tensor([3.0, 4.0]), b) for a in far]
    assert sum(error for _, error in near) / 30 > float(torch.tensor([d for d, _ in near]).std())


def test_the_classifier_reads_the_test_set() -> None:
    test = mnist(train=False)
    right = in_batches(digit_classifier(), test.x0()).argmax(1) == test.y
    assert float(right.float().mean()) >= 0.994


def test_real_digits_are_near_and_noise_is_far() -> None:
    train, test = mnist(train=True), mnist(train=False)
    real, held_out = train.x0(slice(0, 1000)), test.x0(slice(0, 3000))
    noise = torch.randn(1000, 1, 28, 28, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    near, far = digit_distance(real, held_out), digit_distance(noise, held_out)
    worse = digit_distance((real + 0.3 * noise).clamp(-1, 1), held_out)
    assert near < worse < far
    assert far > 30 * near


def test_classes_of_real_digits() -> None:
    test = mnist(train=False)
    x, y = test.x0(slice(0, 1000)), test.y[:1000]
    seen = digit_classes(x, y)
    assert seen.agreement is not None
    assert seen.agreement > 0.98
    assert sum(seen.histogram) == 1000
    share = torch.bincount(y) / 1000
    assert seen.entropy == pytest.approx(float(-(share * share.log2()).sum()), abs=0.01)
    assert digit_classes(x[y == 3]).entropy < 0.2
    assert digit_classes(x).agreement is None


def test_loss_by_t_of_a_network_that_says_zero_is_the_variance_of_the_noise() -> None:
    model = ResNet(ResNetConfig(width=4, blocks=1)).eval()  # its last layer starts at zero
    x0 = mnist(train=False).x0(slice(0, 64))
    for t, error in loss_by_t(model, GaussianDiffusion(cosine_schedule(100)), x0, [1, 50, 100]):
        assert error == pytest.approx(1, abs=5 * math.sqrt(2 / x0.numel())), t  # five standard errors
