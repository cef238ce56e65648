"""Weights in few bits: whole numbers, and for each output channel the step between two of them."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float32, Int16
from torch import Tensor


def quantize(
    weight: Float[Tensor, "rows *rest"], bits: int = 8
) -> tuple[Int16[Tensor, "rows *rest"], Float32[Tensor, " rows"]]:
    """(whole numbers, scale of each row): weight is about scale * whole, |whole| < 2 ** (bits - 1).

    A row is what makes one output channel. Its largest weight sets the scale, so the error of a weight is
    at most half a scale. What it costs is measured in benchmarks/quantize.py.
    """
    rows = weight.detach().float().flatten(1)
    scale = rows.abs().amax(dim=1) / (2 ** (bits - 1) - 1)
    whole = (rows / scale.clamp(min=1e-30)[:, None]).round().to(torch.int16)  # a row of zeros has scale 0
    return whole.reshape(weight.shape), scale


def dequantize(
    whole: Int16[Tensor, "rows *rest"], scale: Float32[Tensor, " rows"]
) -> Float32[Tensor, "rows *rest"]:
    """scale * whole, row by row."""
    return (whole.float().flatten(1) * scale[:, None]).reshape(whole.shape)
