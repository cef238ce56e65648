"""Gaussians with one variance an entry: density, draws, sum, product, and the divergence between two of them.

Means and variances are tensors that broadcast against each other; all functions keep their dtype.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

Value = float | Float[Tensor, "..."]


def log_prob(x: Float[Tensor, "..."], mean: Value, variance: Value) -> Float[Tensor, "..."]:
    """log N(x; mean, variance), entry by entry; sum over an image's entries for its density.

    Book: eq-gauss; eq-gauss-isotropic.
    """
    variance = torch.as_tensor(variance, dtype=x.dtype, device=x.device)
    return -((x - mean) ** 2) / (2 * variance) - (2 * math.pi * variance).log() / 2


def reparameterise(mean: Value, variance: Value, eps: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
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


def kl(
    mean_a: Value, variance_a: Value, mean_b: Float[Tensor, "..."], variance_b: Value
) -> Float[Tensor, "..."]:
    """KL(N(mean_a, variance_a) || N(mean_b, variance_b)) in nats, entry by entry.

    Book: eq-kl.
    """
    ratio = torch.as_tensor(variance_a / variance_b, dtype=mean_b.dtype, device=mean_b.device)
    return (ratio - 1 - ratio.log() + (mean_a - mean_b) ** 2 / variance_b) / 2
