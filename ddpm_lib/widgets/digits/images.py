"""The digits that a page trains on: the first 10,000 of MNIST's training set, in 16 levels, small enough to send."""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from ddpm_lib.data import ImageData, mnist
from ddpm_lib.web.export import AFTER, BEFORE

COUNT, LEVELS = 10_000, 16
# The script tells its own element, as that of the network of the first page does (web/export.py).
EVENT = "ddpm-images"


def sixteen_levels(pixels: UInt8[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """Bytes 0 ... 255 as the nearest of 16 levels, 0 ... 15."""
    return (pixels.float() / 17).round().to(torch.uint8)


@cache
def page_digits() -> ImageData:
    """The digits as the page sees them, for a training in Python on the same images."""
    digits = mnist().head(COUNT)
    return ImageData(sixteen_levels(digits.pixels) * 17, digits.y, digits.name, digits.classes)


@cache
def examples() -> ImageData:
    """Ten others, the first of each class in the test set: to show before anything is loaded, and quick to read."""
    digits = mnist(train=False)
    assert digits.y is not None
    first = torch.stack([(digits.y == label).nonzero()[0, 0] for label in range(len(digits.classes))])
    return ImageData(digits.pixels[first], digits.y[first], digits.name, digits.classes)


def packed_pairs(pixels: UInt8[Tensor, "*shape"]) -> bytes:
    """Two pixels a byte, in 16 levels."""
    levels = sixteen_levels(pixels).flatten()
    return (levels[::2] * 16 + levels[1::2]).numpy().tobytes()


def packed(digits: ImageData) -> dict[str, Any]:
    """What the worker unpacks (web/learn/images/worker.js): two pixels a byte, compressed; a byte for each class."""
    assert digits.y is not None
    return {
        "name": digits.name,
        "classes": list(digits.classes),
        "side": digits.shape[-1],
        "levels": LEVELS,
        "y": base64.b64encode(digits.y.to(torch.uint8).numpy().tobytes()).decode("ascii"),
        "pixels": base64.b64encode(zlib.compress(packed_pairs(digits.pixels), 9)).decode("ascii"),
    }


@cache
def digits_json() -> str:
    """The digits of the pages as JSON, 1.3 MB of it."""
    return json.dumps(packed(page_digits()), separators=(",", ":"))


def digits_script(digits: str | None = None) -> str:
    """The file that a page loads when a reader presses Train: these digits as JSON, those of the pages unless told."""
    return BEFORE.replace("ddpm-weights", EVENT) + (digits_json() if digits is None else digits) + AFTER
