"""Which shards are read for which batch: a function of (seed, step, rank, world) and of nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ddpm_lib import shown
from ddpm_lib.data.errors import DataError
from ddpm_lib.data.images import check_part
from ddpm_lib.data.stream.shards import Shards

MIXED = 16  # shards that are shuffled together, at most


class Part(NamedTuple):
    """What is read at a time: these shards, shuffled by `seed`, without the first `skip` images."""

    epoch: int
    seed: tuple[int, ...]
    shards: tuple[int, ...]
    skip: int


@dataclass(frozen=True)
class Plan:
    """Batches of `size` images, of which each process gets size / world, from shards of its own.

    An epoch takes the shards in an order drawn from (seed, epoch), and shuffles as many whole ones together as have
    `buffer` bytes of pixels, but one at least. It leaves out a last short batch, and with several processes the shards
    that are left over.
    """

    data: Shards
    size: int
    seed: int
    rank: int
    world: int
    buffer: int

    def __post_init__(self) -> None:
        check_part(self.size, self.rank, self.world)
        if len(self.data.index.shards) < self.world:
            raise DataError(
                f"{shown(self.data.folder)} has {len(self.data.index.shards)} shards, too few for {self.world} "
                "processes: write smaller ones, with `shard --each`."
            )
        if not 1 <= self.local <= self.images:
            raise DataError(
                f"A batch of {self.local} cannot be drawn from {self.images} images (a process): choose a batch "
                f"size from {self.world} to {self.images * self.world}."
            )

    @property
    def local(self) -> int:
        """Images of a batch that this process gets."""
        return self.size // self.world

    @property
    def images(self) -> int:
        """Images that each process is sure to have in an epoch, whichever shards it draws."""
        counts = sorted(count for _, count in self.data.index.shards)
        return sum(counts[: len(counts) // self.world])

    @property
    def an_epoch(self) -> int:
        """Batches in one pass over the data."""
        return self.images // self.local

    def parts(self, step: int) -> Iterator[Part]:
        """What is read for batch `step` and all after it."""
        counts = [count for _, count in self.data.index.shards]
        together = max(1, min(MIXED, self.buffer // (max(counts) * math.prod(self.data.shape))))
        epoch, batch = divmod(step, self.an_epoch)
        start, stop = batch * self.local, self.an_epoch * self.local
        while True:
            seed, at = (self.seed % 2**63, epoch), 0
            mine = np.random.default_rng(seed).permutation(len(counts))[self.rank :: self.world].tolist()
            for first in range(0, len(mine), together):
                shards = tuple(mine[first : first + together])
                end = at + sum(counts[shard] for shard in shards)
                if start < end and at < stop:
                    yield Part(epoch, (*seed, first), shards, max(0, start - at))
                at = end
            epoch, start = epoch + 1, 0

    def read(self, parts: Iterator[Part]) -> Iterator[tuple[int, np.ndarray, np.ndarray] | str]:
        """(epoch, pixels, labels) of each part; in the place of one that cannot be read, the sentence that says so."""
        for part in parts:
            try:
                pixels, y = self.data.read(part.shards)
            except DataError as error:  # as a word: DataLoader would wrap it in a traceback of the worker
                yield str(error)
                return
            except MemoryError:
                yield "Memory ran out while images were read: close other programs, or write smaller shards."
                return
            order = np.random.default_rng(part.seed).permutation(len(pixels))[part.skip :]
            yield part.epoch, pixels.numpy()[order], y.numpy()[order]
