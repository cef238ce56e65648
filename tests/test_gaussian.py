"""Gaussian algebra against scipy's densities, numerical integrals and torch.distributions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.distributions import Normal, kl_divergence

from ddpm_lib import gaussian
from tests.helpers import close

means = st.floats(-3.0, 3.0)
variances = st.floats(0.05, 4.0)
X = torch.linspace(-40, 40, 160_001, dtype=torch.float64)


def density(mean: float, variance: float) -> torch.Tensor:
    return gaussian.log_prob(X, mean, variance).exp()


def integral(y: torch.Tensor) -> float:
    return float(torch.trapezoid(y, X))


@pytest.mark.equation("eq-gauss", "eq-gauss-isotropic")
@given(means, variances)
def test_log_prob_is_the_density_of_scipy(mean: float, variance: float) -> None:
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    close(
        gaussian.log_prob(x, mean, variance),
        torch.from_numpy(stats.norm(mean, variance**0.5).logpdf(x)),
        1e-9,
    )
    # d independent entries with one variance: the isotropic density
    whole = stats.multivariate_normal([mean] * 3, variance).logpdf([0.3, -1.0, 2.0])
    entries = gaussian.log_prob(torch.tensor([0.3, -1.0, 2.0]).double(), mean, variance)
    assert abs(float(entries.sum()) - whole) < 1e-5


@pytest.mark.equation("eq-reparam")
@given(means, variances)
def test_a_stretched_and_shifted_draw_has_the_density_of_its_gaussian(mean: float, variance: float) -> None:
    # Change of variables: the density of eps, spread over a stretch of sigma. (Means and variances alone could agree
    # for a draw that is no Gaussian.)
    eps = torch.linspace(-4, 4, 81, dtype=torch.float64)
    x = gaussian.reparameterize(mean, variance, eps)
    stretch = (x[-1] - x[0]) / 8
    found = gaussian.log_prob(x, mean, variance)
    close(found, torch.from_numpy(stats.norm.logpdf(eps.numpy())) - stretch.log(), 1e-8)
    each = gaussian.reparameterize(
        torch.tensor([mean, 0.0]), torch.tensor([variance, 1.0]), torch.tensor([0.0, 2.0])
    )
    close(each, torch.tensor([mean, 2.0]), 1e-6)


@pytest.mark.equation("eq-gauss-sum")
@given(means, variances, means, variances, st.floats(-2.0, 2.0), st.floats(0.1, 2.0))
def test_a_sum_has_the_moments_of_the_convolution(
    m1: float, v1: float, m2: float, v2: float, a: float, b: float
) -> None:
    mean, variance = gaussian.add(m1, v1, m2, v2, a, b)
    total = 0.7  # the density of a A + b B at one point, as an integral over A
    convolved = integral(density(m1, v1) * gaussian.log_prob((total - a * X) / b, m2, v2).exp() / b)
    assert convolved == pytest.approx(stats.norm(mean, variance**0.5).pdf(total), rel=1e-6, abs=1e-12)


@pytest.mark.equation("eq-gauss-product")
@given(means, variances, means, variances)
def test_a_product_is_proportional_to_the_product_of_densities(
    m1: float, v1: float, m2: float, v2: float
) -> None:
    both = density(m1, v1) * density(m2, v2)
    both = both / integral(both)
    mean, variance = gaussian.product(m1, v1, m2, v2)
    close(both, density(mean, variance), 1e-6)


@pytest.mark.equation("eq-kl")
@given(means, variances, means, variances)
def test_kl_is_the_integral_and_that_of_torch(m1: float, v1: float, m2: float, v2: float) -> None:
    tensors = [torch.tensor(value, dtype=torch.float64) for value in (m1, v1, m2, v2)]
    found = float(gaussian.kl(*tensors))
    known = kl_divergence(Normal(tensors[0], tensors[1].sqrt()), Normal(tensors[2], tensors[3].sqrt()))
    assert found == pytest.approx(float(known), rel=1e-6, abs=1e-9)
    p = density(m1, v1)
    log_ratio = gaussian.log_prob(X, m1, v1) - gaussian.log_prob(X, m2, v2)
    assert found == pytest.approx(integral(p * log_ratio), rel=1e-5, abs=1e-7)


def test_kl_is_zero_only_for_equal_gaussians() -> None:
    zero, one = torch.zeros(1).double(), torch.ones(1).double()
    assert float(gaussian.kl(zero, one, zero, one)) == 0
    assert float(gaussian.kl(zero, one, zero + 0.1, one)) > 0
    assert float(gaussian.kl(zero, one, zero, 1.1 * one)) > 0
