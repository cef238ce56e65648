"""Who does the work of a run: this process alone, or several that share every batch and agree on the rest.

`train` asks its engine for little, and `Engine` is the whole list. What several processes tell one another between
steps (losses, the clock, a stop, finished images) are tensors on the CPU; gradients travel inside `prepare`'s module.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel

from ddpm_lib.denoiser import Denoiser, Predicts
from ddpm_lib.models import Network

T = TypeVar("T")


class EngineError(Exception):
    """Processes that cannot work together, or one that was lost; the message says what to do."""


class Engine:
    """One process, and what a loop may ask of several: `accelerated()` gives the others' answers."""

    rank: int = 0  # of this process, from 0
    world: int = 1  # processes that share the run

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    @property
    def is_main(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """This process's share of n things in a row; two shares differ by at most one."""
        return slice(n * self.rank // self.world, n * (self.rank + 1) // self.world)

    def prepare(self, model: Network) -> Denoiser:
        """What to call in place of `model` in training, so that all processes get the mean of their gradients."""
        return model

    def unshared(self, denoiser: Denoiser) -> AbstractContextManager[object]:
        """A backward pass in here keeps its gradients to itself: for all but the last piece of a batch."""
        return nullcontext()

    def mean(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The mean over the processes, on each of them."""
        return values

    def first(self, values: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
        """The main process's values, on each of them."""
        return values

    def gather(self, part: Shaped[Tensor, "n *shape"]) -> Shaped[Tensor, "m *shape"]:
        """All parts in the order of the processes, on each of them; they may differ in length."""
        return part

    def close(self) -> None:
        """Part in peace: no process may talk to another from here on."""

    # -- what follows from the above -------------------------------------------------------------------------

    def clock(self, seconds: float) -> float:
        """The main process's seconds: the learning rate and the end of a run must not differ between processes."""
        return float(self.first(torch.tensor(seconds, dtype=torch.float64))) if self.world > 1 else seconds

    def anyone(self, flag: bool) -> bool:
        """Whether any process says so."""
        return bool(self.mean(torch.tensor(float(flag))) > 0)

    def barrier(self) -> None:
        """Wait for the others."""
        self.mean(torch.zeros(()))

    def main_first(self, load: Callable[[], T]) -> T:
        """load() in the main process, then in the others: what it downloads is there for them."""
        result = load() if self.is_main else None
        self.barrier()
        return load() if result is None else result


@dataclass(frozen=True, eq=False)
class Shared:
    """A network inside DistributedDataParallel, which forwards calls and nothing else."""

    module: DistributedDataParallel
    predicts: Predicts

    def __call__(
        self, xt: Float[Tensor, "b *shape"], t: Int[Tensor, " b"], y: Int[Tensor, " b"] | None = None
    ) -> Float[Tensor, "b *shape"]:
        """The network's output; its backward pass meets the other processes."""
        out: Tensor = self.module(xt, t, y)
        return out


class Accelerated(Engine):
    """The processes that a launcher started, through Hugging Face Accelerate: nccl on GPUs, gloo on CPUs."""

    def __init__(self, accelerator: Any) -> None:
        super().__init__(accelerator.device)
        self.rank, self.world = accelerator.process_index, accelerator.num_processes
        self._accelerator = accelerator
        # nccl moves what lies on a GPU; what the host says goes through a group of its own, so that no step waits.
        on_gpu = self.world > 1 and self.device.type != "cpu"
        self._group = distributed.new_group(backend="gloo") if on_gpu else None
        self._shared: tuple[Network, Shared] | None = None

    def prepare(self, model: Network) -> Denoiser:
        """The model in DistributedDataParallel, wrapped once; the model itself stays what is saved and averaged."""
        if self.world == 1:
            return model
        if self._shared is None or self._shared[0] is not model:
            self._shared = model, Shared(self._accelerator.prepare_model(model), model.predicts)
        return self._shared[1]

    def unshared(self, denoiser: Denoiser) -> AbstractContextManager[object]:
        """See Engine."""
        return denoiser.module.no_sync() if isinstance(denoiser, Shared) else nullcontext()

    def mean(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """See Engine."""
        if self.world == 1:
            return values
        total = values.clone()
        distributed.all_reduce(total, group=self._group)
        return total / self.world

    def first(self, values: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
        """See Engine."""
        values = values.clone()
        if self.world > 1:
            distributed.broadcast(values, src=0, group=self._group)
        return values

    def gather(self, part: Shaped[Tensor, "n *shape"]) -> Shaped[Tensor, "m *shape"]:
        """See Engine."""
        if self.world == 1:
            return part
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.world)]
        distributed.all_gather(sizes, torch.tensor([len(part)]), group=self._group)
        padded = part.new_zeros((max(map(int, sizes)), *part.shape[1:]))  # all_gather wants one shape
        padded[: len(part)] = part
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded, group=self._group)
        return torch.cat([some[: int(n)] for some, n in zip(parts, sizes, strict=True)])

    def close(self) -> None:
        """See Engine."""
        self._accelerator.end_training()


def accelerated(cpu: bool = False) -> Accelerated:
    """The engine of a process that `accelerate launch`, `torchrun` or `notebook_launcher` started.

    A GPU for each process, or the CPU for all (`cpu`, or where there is no GPU). Started by none, it is one process.
    """
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise EngineError(
            "Several processes need Hugging Face Accelerate, which is not installed: pip install accelerate (the extra "
            "`launch` of ddpm-lib)."
        ) from error
    cpu = cpu or not torch.cuda.is_available()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if not cpu and here > torch.cuda.device_count():
        raise EngineError(
            f"{here} processes were launched on this machine, which has {torch.cuda.device_count()} GPU(s): launch one "
            "for each GPU, or pass --device cpu."
        )
    if multiprocessing.parent_process() is not None:
        # Forked by notebook_launcher: waiting for the threads that the notebook's OpenMP had would never end.
        torch.set_num_threads(1)
    # Precision is the configuration's affair (TrainConfig.precision), whatever the launcher was told.
    return Accelerated(Accelerator(cpu=cpu, mixed_precision="no"))


def launched() -> bool:
    """Whether a launcher started this process as one of several."""
    named = all(name in os.environ for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
    return named and int(os.environ["WORLD_SIZE"]) > 1


def lost_process(error: RuntimeError) -> bool:
    """Whether an error says that another process of the run is gone, or does not answer."""
    words = ("gloo", "nccl", "connection", "timed out")  # gloo raises plain RuntimeErrors
    return isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in words)
