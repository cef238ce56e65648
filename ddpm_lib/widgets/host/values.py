"""What several widgets check and send: numbers as base64, images as bytes, a value within its range."""

from __future__ import annotations

import base64
import math
from typing import Any

import torch
import traitlets
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor

MOST_IMAGES = 16


class Finite(traitlets.Float[float, Any]):
    """A trait that is a number: NaN, which no comparison with a least and a largest finds, and infinity are refused."""

    def validate(self, obj: Any, value: Any) -> float:
        """The number, or TraitError."""
        number = float(super().validate(obj, value))
        if not math.isfinite(number):
            raise traitlets.TraitError(f"{self.name} is {number}: pass a finite number.")
        return number


def base64_of(values: Tensor) -> str:
    """The tensor's numbers in the little-endian bytes of its dtype, which the page's typed arrays read."""
    array = values.numpy()
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def within(
    proposal: dict[str, Any], low: int | float, high: int | float, what: str = "it runs", of: str = "a {}"
) -> Any:
    """A trait's proposed value if it lies between `low` and `high`; else TraitError. NaN lies nowhere."""
    name, value = proposal["trait"].name, proposal["value"]
    if not min(low, high) <= value <= max(low, high):
        of = of.format(name)
        raise traitlets.TraitError(
            f"{name} is {value:g}, but {what} from {low} to {high}: pass {of} in that range."
        )
    return value


def images_of(x0: Tensor | NDArray[Any]) -> Float[Tensor, "n c h w"]:
    """At most 16 images of 1 or 3 channels in [-1, 1]; raises ValueError for anything else."""
    images = torch.as_tensor(x0).detach().cpu().double()
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            f"x0 has shape {tuple(images.shape)}, but images are (n, c, h, w) with c = 1 or 3: reshape it."
        )
    if len(images) > MOST_IMAGES:
        raise ValueError(
            f"x0 holds {len(images)} images, but at most {MOST_IMAGES} are shown: pass x0[:{MOST_IMAGES}]."
        )
    low, high = images.min().item(), images.max().item()
    if not (low >= -1.001 and high <= 1.001):  # NaN fails as well
        raise ValueError(
            f"x0 runs from {low:.4g} to {high:.4g}, but images are in [-1, 1]: for bytes, pass x / 127.5 - 1."
        )
    return images.clamp(-1, 1)


def pixels_of(images: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h w"]:
    """Images in [-1, 1] at 8 bits per value."""
    return ((images + 1) * 127.5).round().to(torch.uint8)
