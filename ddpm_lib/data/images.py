"""Images to train on, in memory, and the batches drawn from them.

Pixels are kept as bytes and become x_0, floats in [-1, 1], when a batch is drawn.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from ddpm_lib.data.errors import DataError, counted


@dataclass(frozen=True, eq=False)
class ImageData:
    """n images of c channels, and their labels where they have any."""

    pixels: UInt8[Tensor, "n c h w"]
    y: Int[Tensor, " n"] | None
    name: str
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.dtype != torch.uint8:
            raise DataError(
                f"The pixels are {self.pixels.dtype}, and not bytes: pass to_pixels(x) of x in [-1, 1]."
            )
        if self.y is not None and len(self.y) != len(self.pixels):
            raise DataError(
                f"There are {len(self.y)} labels for {counted(len(self.pixels), 'image')}: pass one each."
            )

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """(c, h, w) of one image."""
        return tuple(self.pixels.shape[1:])

    def head(self, n: int) -> ImageData:
        """The first n images (all of them where there are fewer)."""
        return ImageData(self.pixels[:n], None if self.y is None else self.y[:n], self.name, self.classes)

    def x0(self, index: Int[Tensor, " b"] | slice | None = None) -> Float[Tensor, "b c h w"]:
        """The images at `index` (all of them for None) as float32 in [-1, 1]."""
        return to_x0(self.pixels if index is None else self.pixels[index])

    def to(self, device: torch.device | str) -> ImageData:
        """The same data, resident on another device."""
        y = None if self.y is None else self.y.to(device)
        return ImageData(self.pixels.to(device), y, self.name, self.classes)


def to_x0(
    pixels: UInt8[Tensor, "*shape"], out: Float[Tensor, "*shape"] | None = None
) -> Float[Tensor, "*shape"]:
    """Bytes 0 ... 255 to [-1, 1], in the memory of `out` if it is given.

    Book: eq-pixels (Ho et al. 2020, section 3.3).
    """
    x0 = pixels.float() if out is None else out.copy_(pixels)
    return x0.div_(127.5).sub_(1)


def to_pixels(x: Float[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """[-1, 1] to bytes; what lies outside is clipped. The inverse of `to_x0`.

    Raises DataError for NaN, which has no gray.
    """
    if bool(x.isnan().any()):
        raise DataError(
            "The images hold NaN, which would be drawn black: lower the guidance, or use other weights."
        )
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


@dataclass(frozen=True, eq=False)
class Batches:
    """Batch number `step` of endless epochs, as a function of the step: resuming needs no replay.

    An epoch is one permutation of the data, drawn from (seed, epoch); a last short batch is left out.
    Of `world` processes, number `rank` gets its part of that very batch: size / world images of it.
    """

    data: ImageData
    size: int
    seed: int = 0
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not (hasattr(self.size, "__index__") and hasattr(self.seed, "__index__")):
            raise DataError(
                f"The size {self.size} and the seed {self.seed} of batches are whole numbers: pass such."
            )
        check_batch(self.size, len(self.data))
        check_part(self.size, self.rank, self.world)

    @property
    def an_epoch(self) -> int:
        """Batches in one pass over the data."""
        return len(self.data) // self.size

    def __call__(self, step: int) -> tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"] | None]:
        """(x0, y) of batch `step` = 0, 1, 2 ..., or this process's part of it, on the data's device."""
        epoch, i = divmod(step, self.an_epoch)
        order = _permutation(len(self.data), operator.index(self.seed), epoch, self.data.pixels.device)
        part = self.size // self.world
        first = i * self.size + self.rank * part
        index = order[first : first + part]
        return self.data.x0(index), None if self.data.y is None else self.data.y[index]


@lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int, device: torch.device) -> Int[Tensor, " n"]:
    # torch takes 64 bits; a seed of up to 43 bits is not changed by this.
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return torch.randperm(n, generator=generator).to(device)


def check_batch(size: int, images: int) -> None:
    """Raises DataError where a batch of `size` cannot be drawn from so many images."""
    if not 1 <= size <= images:
        choose = f"from 1 to {images}" if images > 1 else "of 1"
        raise DataError(
            f"A batch of {size} cannot be drawn from {counted(images, 'image')}: choose a batch size {choose}, "
            "or add images."
        )


def check_part(size: int, rank: int, world: int) -> None:
    """Raises DataError where process `rank` of `world` has no equal part of a batch of `size`."""
    if not 0 <= rank < world or size % world:
        raise DataError(
            f"Process {rank} of {world} has no equal part of a batch of {size}: number the processes from 0 to "
            f"{world - 1}, and choose a batch size that is a multiple of {world}."
        )
