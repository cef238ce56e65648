"""Gaussians with one variance per entry: density, draws, sum, product, and the divergence between two of them.

Means and variances are tensors that broadcast against each other; all functions keep their dtype.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

Array = Float[Tensor, "..."]
Value = float | Array


def log_prob(x: Array, mean: Value, variance: Value) -> Array:
    """log N(x; mean, variance) per entry; the sum over the entries of an image is its log density.

    Book: eq-gauss; eq-gauss-isotropic.
    """
    variance = torch.as_tensor(variance, dtype=x.dtype, device=x.device)
    return -((x - mean) ** 2) / (2 * variance) - (2 * math.pi * variance).log() / 2


def reparameterize(mean: Value, variance: Value, eps: Array) -> Array:
    """mean + sqrt(variance) eps: a draw from N(mean, variance), made from one of N(0, 1).

    Book: eq-reparam.
    """
    return mean + torch.as_tensor(variance, dtype=eps.dtype, device=eps.device).sqrt() * eps


def add(
    mean_a: Value, variance_a: Value, mean_b: Value, variance_b: Value, a: Value = 1.0, b: Value = 1.0
) -> tuple[Value, Value]:
    """Mean and variance of a A + b B for independent Gaussians A and B: the sum is Gaussian, variances add.

    Book: eq-gauss-sum.
    """
    return a * mean_a + b * mean_b, a**2 * variance_a + b**2 * variance_b


def product(mean_a: Value, variance_a: Value, mean_b: Value, variance_b: Value) -> tuple[Value, Value]:
    """Mean and variance of the Gaussian proportional to N(x; mean_a, variance_a) N(x; mean_b, variance_b).

    Precisions (one over variance) add, and the mean is the precision-weighted one.

    Book: eq-gauss-product.
    """
    precision = 1 / variance_a + 1 / variance_b
    return (mean_a / variance_a + mean_b / variance_b) / precision, 1 / precision


def kl(mean_a: Value, variance_a: Value, mean_b: Array, variance_b: Value) -> Array:
    """KL(N(mean_a, variance_a) || N(mean_b, variance_b)) in nats per entry.

    Book: eq-kl.
    """
    ratio = torch.as_tensor(variance_a / variance_b, dtype=mean_b.dtype, device=mean_b.device)
    return (ratio - 1 - ratio.log() + (mean_a - mean_b) ** 2 / variance_b) / 2
