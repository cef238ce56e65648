"""The images of a folder of shards, read from the files one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from ddpm_lib import shown
from ddpm_lib.data.errors import DataError
from ddpm_lib.data.images import ImageData
from ddpm_lib.data.pixels import decode
from ddpm_lib.data.stream.index import INDEX, Index
from ddpm_lib.data.stream.tars import samples

Pixels = tuple[UInt8[Tensor, "n c h w"], Int[Tensor, " n"]]


@dataclass(frozen=True)
class Shards:
    """A folder of shards: what its index says. No image is in memory."""

    folder: Path
    index: Index

    @property
    def shape(self) -> tuple[int, ...]:
        """(c, h, w) of one image."""
        return self.index.channels, self.index.size, self.index.size

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names; none for images without labels."""
        return tuple(map(shown, self.index.classes))

    def __len__(self) -> int:
        return len(self.index)

    def head(self, n: int) -> ImageData:
        """The first n images, loaded (all of them where there are fewer)."""
        pixels, y = _stacked(islice(self._images(range(len(self.index.shards))), n))
        return ImageData(pixels, y if self.classes else None, self.folder.name, self.classes)

    def read(self, shards: Iterable[int]) -> Pixels:
        """All images of the shards with these numbers, in the order of the files, and their labels (0 for none).

        Raises DataError.
        """
        return _stacked(self._images(shards))

    def _images(self, shards: Iterable[int]) -> Iterator[tuple[np.ndarray, int]]:
        return chain.from_iterable(map(self._images_of, shards))

    def _images_of(self, shard: int) -> Iterator[tuple[UInt8[np.ndarray, "c h w"], int]]:
        name, expected = self.index.shards[shard]
        path, count = self.folder / name, 0
        for count, (key, image, label) in enumerate(samples(path), start=1):
            if count > expected:
                break
            yield self._checked(f"{key} in {shown(path)}", image, label)
        if count != expected:
            raise DataError(
                f"{shown(path)} holds {'more' if count > expected else count} images, and {expected} by the index: "
                f"copy or write it again, or remove {INDEX}, and it is made anew."
            )

    def _checked(self, where: str, image: bytes, label: int | None) -> tuple[np.ndarray, int]:
        x = np.ascontiguousarray(
            decode(image, where).transpose(2, 0, 1)
        )  # else the batch would get the layout too
        if x.shape != self.shape:
            raise DataError(
                f"{where} is {x.shape}, and the index says {self.shape} (channels, height, width): write the shards "
                "again from the images, with one --size."
            )
        if not self.classes:
            return x, 0
        if label is None or not 0 <= label < len(self.classes):
            raise DataError(
                f"{where} has {'no label' if label is None else f'the label {label}'}, but the index names "
                f"{len(self.classes)} classes: write the shard again, with a .cls from 0 to {len(self.classes) - 1}."
            )
        return x, label


def _stacked(found: Iterator[tuple[np.ndarray, int]]) -> Pixels:
    # numpy's memory, not torch's: glibc finds the holes that aligned blocks leave too rarely, and a process grows.
    pixels, y = zip(*found, strict=True)
    return torch.from_numpy(np.stack(pixels)), torch.from_numpy(np.array(y, np.int64))
