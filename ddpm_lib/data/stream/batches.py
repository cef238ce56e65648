"""More images than memory holds: batches from shards, of which only a few are open at a time.

Worker processes read, decode and shuffle the next parts while the network trains on those before. So batch `step` is
what the plan says: the number of workers does not matter, nor where a run was interrupted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.utils.data import DataLoader

from ddpm_lib import shown
from ddpm_lib.data.errors import DataError
from ddpm_lib.data.images import to_x0
from ddpm_lib.data.stream.deaths import Deaths, WorkerDied, killed
from ddpm_lib.data.stream.plan import Plan
from ddpm_lib.data.stream.shards import Shards
from ddpm_lib.data.stream.tars import library

BUFFER = 2**25  # bytes of pixels that are shuffled together; never less than one shard

Batch = tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"] | None]


@dataclass
class StreamedBatches:
    """Batch number `step` of endless epochs, as `data.Batches`, but from shards; see Plan for which.

    Ask for the steps in order: `workers` processes read ahead. Another step costs a new start, at the shards where it
    lies; the batches are the same to the bit.
    """

    data: Shards
    size: int
    seed: int = 0
    device: torch.device | str = "cpu"
    rank: int = 0
    world: int = 1
    workers: int | None = None  # default: this process's share of the cores, at most 8; 0 reads nothing ahead
    plan: Plan = field(init=False, repr=False)
    _next: int = field(default=-1, init=False, repr=False)
    _running: Generator[Batch, None, None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.plan = Plan(self.data, self.size, self.seed, self.rank, self.world, BUFFER)
        self.an_epoch, self.parts = self.plan.an_epoch, self.plan.parts
        self._running = _from(0, self.plan, self.device, self.workers)  # starts nothing yet

    def __call__(self, step: int) -> Batch:
        """(x0, y) of batch `step` = 0, 1, 2 ..., this process's share of it, on the device. Raises DataError.

        After WorkerDied, the next call starts new workers.
        """
        if step < 0:
            raise DataError(f"There is no batch {step}: the first is 0.")
        if step != self._next:
            self._running.close()  # its workers end before new ones start
            self._running = _from(step, self.plan, self.device, self.workers)
        self._next = -1  # until it has worked
        try:
            batch = next(self._running)
        except (RuntimeError, ConnectionError, EOFError) as error:
            if not killed(error):
                raise
            raise WorkerDied(
                f"A process that reads the images of {shown(self.data.folder)} was killed, most often because memory "
                "ran out: close other programs, or write smaller shards with `shard --each`."
            ) from error
        self._next = step + 1
        return batch

    def close(self) -> None:
        """End the worker processes; the next call starts new ones."""
        self._running.close()
        self._next = -1


# No method: a cycle of references would leave the workers to the garbage collector, where they take ten seconds to end.
def _from(
    step: int, plan: Plan, device: torch.device | str, workers: int | None
) -> Generator[Batch, None, None]:
    """Batch `step` and all after it."""
    webdataset = library()
    # Each worker takes every n-th part, and DataLoader asks the workers in turn: so the parts come in their order.
    parts = webdataset.DataPipeline(partial(plan.parts, step), webdataset.split_by_worker, plan.read)
    workers = max(1, min(8, _cores() // plan.world)) if workers is None else workers
    loader = DataLoader(
        parts,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=1 if workers else None,
        worker_init_fn=_begin,
        generator=torch.Generator(),  # else it would draw from torch's own
    )
    begun = iter(loader)  # starts the workers
    deaths = Deaths()
    try:
        yield from _cut(begun, step, plan, device, deaths)
    finally:
        deaths.close()


def _cut(
    parts: Iterator[Any], step: int, plan: Plan, device: torch.device | str, deaths: Deaths
) -> Iterator[Batch]:
    """The parts, cut into batches: a rest is carried on within an epoch."""
    local = plan.local
    now, given = divmod(step, plan.an_epoch)
    left: tuple[np.ndarray, np.ndarray] | None = None
    for part in parts:
        if isinstance(part, str):
            raise DataError(part)
        epoch, pixels, y = part[0], part[1].numpy(), part[2].numpy()
        if epoch != now:
            now, given, left = epoch, 0, None
        if left:
            pixels, y = np.concatenate([left[0], pixels]), np.concatenate([left[1], y])
        count = min(plan.an_epoch - given, len(pixels) // local)
        for i in range(0, count * local, local):
            x0 = _x0(torch.from_numpy(pixels[i : i + local]), device)
            labels = torch.from_numpy(y[i : i + local].copy()).to(device) if plan.data.classes else None
            deaths.deaf = True  # from here on the network trains
            yield x0, labels
            deaths.listen()
        given, left = given + count, (pixels[count * local :], y[count * local :])


def _x0(pixels: UInt8[Tensor, "b c h w"], device: torch.device | str) -> Float[Tensor, "b c h w"]:
    # On the CPU in numpy's memory: glibc 2.36 does not find the holes again that torch's aligned blocks leave, and
    # the process would grow by a batch with every batch.
    cpu = torch.device(device).type == "cpu"
    out = torch.from_numpy(np.empty(pixels.shape, np.float32)) if cpu else None
    return to_x0(pixels.to(device), out)


def _begin(_: int) -> None:
    """What a worker process does first: Ctrl-C reaches all of a terminal's, but the run's own alone answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
