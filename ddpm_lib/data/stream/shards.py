"""The images of a folder of shards, read from the files one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from ddpm_lib.data import DataError, ImageData
from ddpm_lib.data.stream.index import Index, decode, samples

Pixels = tuple[UInt8[Tensor, "n c h w"], Int[Tensor, " n"] | None]


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
        return self.index.classes

    def __len__(self) -> int:
        return len(self.index)

    def head(self, n: int) -> ImageData:
        """The first n images, loaded (all of them where there are fewer)."""
        found = islice(chain.from_iterable(map(self._images, range(len(self.index.shards)))), n)
        pixels, y = zip(*found, strict=True)
        return ImageData(
            torch.stack(pixels), torch.tensor(y) if self.classes else None, self.folder.name, self.classes
        )

    def read(self, shards: tuple[int, ...]) -> Pixels:
        """All images of the shards with these numbers, in the order of the files. Raises DataError."""
        count = sum(self.index.shards[shard][1] for shard in shards)
        pixels, y = torch.empty(count, *self.shape, dtype=torch.uint8), torch.empty(count, dtype=torch.int64)
        for i, (x, label) in enumerate(chain.from_iterable(map(self._images, shards))):
            pixels[i], y[i] = x, label
        return pixels, y if self.classes else None

    def _images(self, shard: int) -> Iterator[tuple[UInt8[Tensor, "c h w"], int]]:
        name, expected = self.index.shards[shard]
        count = 0
        for count, (key, image, label) in enumerate(samples(self.folder / name), start=1):
            if count > expected:
                break
            yield self._checked(f"{key} in {self.folder / name}", image, label)
        if count != expected:
            raise DataError(
                f"{self.folder / name} holds {'more' if count > expected else count} images, and {expected} by the "
                "index: copy or write it again, or remove index.json, and it is made anew."
            )

    def _checked(self, where: str, image: bytes, label: int | None) -> tuple[Tensor, int]:
        x = torch.from_numpy(decode(image, where)).permute(2, 0, 1)
        if tuple(x.shape) != self.shape:
            raise DataError(
                f"{where} is {tuple(x.shape)}, and the index says {self.shape} (channels, height, width): write the "
                "shards again from the images, with one --size."
            )
        if not self.classes:
            return x, 0
        if label is None or not 0 <= label < len(self.classes):
            raise DataError(
                f"{where} has {'no label' if label is None else f'the label {label}'}, but the index names "
                f"{len(self.classes)} classes: write the shard again, with a .cls from 0 to {len(self.classes) - 1}."
            )
        return x, label
