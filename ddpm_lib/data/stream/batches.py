"""More images than memory holds: batches from shards, of which only a few are open at a time.

An epoch reads the shards in an order drawn from (seed, epoch). As many whole shards as fit into BUFFER are decoded
and shuffled together, in worker processes, while the network trains on those before. So batch `step` is a function
of (seed, step, rank, world) and of nothing else: not of the number of workers, nor of where a run was interrupted.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ddpm_lib.data import DataError, to_x0
from ddpm_lib.data.stream.shards import Pixels, Shards

BUFFER = 2**25  # bytes of pixels that are shuffled together; never less than one shard
MIXED = 16  # shards, at most
M_MMAP_THRESHOLD = -3  # malloc.h

Batch = tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"] | None]


class Part(NamedTuple):
    """What one worker reads at a time: these shards, shuffled by `seed`, without the first `skip` images."""

    epoch: int
    seed: tuple[int, ...]
    shards: tuple[int, ...]
    skip: int


@dataclass
class StreamedBatches:
    """Batch number `step` of endless epochs, as `data.Batches`, but from shards; rank r of n has its own shards.

    `size` is the whole batch, of which each process gets size / world images. Ask for the steps in order: `workers`
    processes read ahead. Another step costs a new start, at the shards where it lies; the batches are the same to
    the bit. Every epoch leaves out a last short batch, and with several processes the shards that are left over.
    """

    data: Shards
    size: int
    seed: int = 0
    device: torch.device | str = "cpu"
    rank: int = 0
    world: int = 1
    workers: int | None = None  # default: this process's share of the cores, at most 8; 0 reads nothing ahead
    _next: int = field(default=-1, init=False, repr=False)
    _running: Generator[Batch, None, None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._running = self._from(0)  # starts nothing yet
        if not 0 <= self.rank < self.world or self.size % self.world:
            raise DataError(
                f"Process {self.rank} of {self.world} has no equal part of a batch of {self.size}: number the "
                f"processes from 0 to {self.world - 1}, and choose a batch size that is a multiple of {self.world}."
            )
        if len(self.data.index.shards) < self.world:
            raise DataError(
                f"{self.data.folder} has {len(self.data.index.shards)} shards, too few for {self.world} processes: "
                "write smaller ones, with `shard --each`."
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

    def __call__(self, step: int) -> Batch:
        """(x0, y) of batch `step` = 0, 1, 2 ..., this process's share of it, on the device."""
        if step < 0:
            raise DataError(f"There is no batch {step}: the first is 0.")
        if step != self._next:
            self._running.close()  # its workers end before new ones start
            self._running = self._from(step)
        self._next = -1  # until it has worked
        batch = next(self._running)
        self._next = step + 1
        return batch

    def close(self) -> None:
        """End the worker processes; the next call starts new ones."""
        self._running.close()
        self._next = -1

    def parts(self, step: int) -> Iterator[Part]:
        """What is read for batch `step` and all after it."""
        counts = [count for _, count in self.data.index.shards]
        together = max(1, min(MIXED, BUFFER // (max(counts) * math.prod(self.data.shape))))
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

    def _from(self, step: int) -> Generator[Batch, None, None]:
        """Batch `step` and all after it."""
        workers = max(1, min(8, _cores() // self.world)) if self.workers is None else self.workers
        loader = DataLoader(
            _Reader(self.data),
            sampler=_Parts(self, step),
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=workers,
            prefetch_factor=1 if workers else None,
            worker_init_fn=_begin,
            generator=torch.Generator(),  # else it would draw from torch's own
        )
        epoch, given = divmod(step, self.an_epoch)
        held: list[tuple[Tensor, Tensor | None]] = []
        for now, got in loader:
            if isinstance(got, str):
                raise DataError(got)
            if now != epoch:
                epoch, given, held = now, 0, []
            held.append(got)
            # Here such holes grow by a batch with every batch: give back their pages.
            _glibc("malloc_trim", 0)
            while given < self.an_epoch and sum(len(pixels) for pixels, _ in held) >= self.local:
                pixels, y = _take(held, self.local)
                yield to_x0(pixels.to(self.device)), None if y is None else y.to(self.device)
                given += 1


@dataclass(frozen=True)
class _Parts:
    """The endless parts from a step on, as DataLoader wants them."""

    batches: StreamedBatches
    step: int

    def __iter__(self) -> Iterator[Part]:
        return self.batches.parts(self.step)


class _Reader(Dataset[tuple[int, Any]]):
    """Reads, decodes and shuffles one part; runs in the worker processes."""

    def __init__(self, data: Shards) -> None:
        self.data = data

    def __getitem__(self, part: Part) -> tuple[int, Pixels | str]:
        try:
            pixels, y = self.data.read(part.shards)
        except DataError as error:  # as a word: DataLoader would wrap it in a traceback of the worker
            return part.epoch, str(error)
        order = torch.from_numpy(np.random.default_rng(part.seed).permutation(len(pixels))[part.skip :])
        return part.epoch, (pixels[order], None if y is None else y[order])


def _as_it_is(part: Any) -> Any:
    return part  # DataLoader would make lists of the tuples


def _take(held: list[tuple[Tensor, Tensor | None]], n: int) -> tuple[Tensor, Tensor | None]:
    """The first n images of those held, which are taken away: slices, for the parts are too large to be copied."""
    pixels, y, left = list[Tensor](), list[Tensor](), n
    while left:
        x, labels = held.pop(0)
        pixels.append(x[:left])
        if labels is not None:
            y.append(labels[:left])
        if len(x) > left:
            held.insert(0, (x[left:], None if labels is None else labels[left:]))
        left -= min(left, len(x))
    return torch.cat(pixels), torch.cat(y) if y else None


def _begin(_: int) -> None:
    """What a worker process does first."""
    # Ctrl-C reaches every process of a terminal; the run's own process alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Tensors of several MB come and go with each part. glibc would soon take them from the heap, and find its own holes
    # again too rarely: a worker grew by a part with every part (glibc 2.36). So let it map them apart.
    _glibc("mallopt", M_MMAP_THRESHOLD, 2**17)


def _glibc(function: str, *arguments: int) -> None:
    """Call a function of the C library, where it has it (glibc does; macOS, Windows and musl do not)."""
    if sys.platform == "linux" and (found := getattr(ctypes.CDLL(None), function, None)):
        found(*arguments)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
