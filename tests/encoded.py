"""Images as files, and the pixels that the course reads from them."""

import io
from typing import Any

import numpy as np
from PIL import Image

from ddpm_lib.data.pixels import decode


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def grey(values: list[list[float]], dtype: type) -> Image.Image:
    return Image.fromarray(np.array(values, dtype))


def pixels(raw: bytes) -> list[list[int]]:
    """All pixels in a row, each a list of its channels."""
    array = decode(raw, "an image")
    return array.reshape(-1, array.shape[-1]).tolist()
