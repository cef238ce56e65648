"""A row of small images as one PNG: what a viewer without scripts shows in place of a widget."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from ddpm_lib.data import to_pixels


def strip_png(images: Sequence[Float[Tensor, "c h w"]], scale: int = 3, gap: int = 2) -> bytes:
    """Images in [-1, 1], clipped, side by side with a transparent gap, each pixel a square of `scale`.

    Of 16 levels, which noise hides and which halves the file.
    """
    channels, height, width = images[0].shape
    step = width + gap
    canvas = np.zeros((height, step * len(images) - gap, channels + 1), np.uint8)
    for i, image in enumerate(images):
        canvas[:, i * step : i * step + width, :channels] = (
            _sixteen(to_pixels(image.double())).permute(1, 2, 0).numpy()
        )
        canvas[:, i * step : i * step + width, channels] = 255
    picture = Image.fromarray(canvas.repeat(scale, axis=0).repeat(scale, axis=1))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _sixteen(pixels: UInt8[Tensor, "c h w"]) -> UInt8[Tensor, "c h w"]:
    return (pixels.float() / 17).round().to(torch.uint8) * 17
