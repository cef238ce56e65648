"""Who does the work of a run: this process alone, or several that share every batch and agree on the rest.

`Processes` is all that a loop may ask: what several tell one another between steps (losses, the clock, a stop, finished
images). Their gradients travel inside `prepare`'s module.
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

from ddpm_lib import CourseError
from ddpm_lib.denoiser import Denoiser, Predicts
from ddpm_lib.models import Network

T = TypeVar("T")
# Groups that were left, kept to the end of the process. DistributedDataParallel holds Python's lock while it is
# destroyed; were it the last to hold its group, gloo's thread, which may need that lock to end, would wait for ever
# (pytorch/pytorch issue 56297). From Python a group is destroyed without the lock.
_left: list[object] = []


class LaunchError(CourseError):
    """Processes that cannot work together, or one that was lost; the message says what to do."""


class Processes:
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

    def first(self, value: T) -> T:
        """The main process's value, of any kind, on each of them."""
        return value

    def gather(self, part: Shaped[Tensor, "n *shape"]) -> Shaped[Tensor, "m *shape"]:
        """All parts in the order of the processes, on each of them; they may differ in length."""
        return part

    def close(self) -> None:
        """Say goodbye: no process may talk to another from here on."""

    # -- what follows from the above -------------------------------------------------------------------------

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


class Accelerated(Processes):
    """The processes that a launcher started, through Hugging Face Accelerate: nccl on GPUs, gloo on CPUs.

    On GPUs what the host says (the clock, a stop) goes by gloo as well, so that no step waits for it.
    """

    def __init__(self, accelerator: Any) -> None:
        super().__init__(accelerator.device)
        self.rank, self.world = accelerator.process_index, accelerator.num_processes
        self._accelerator = accelerator
        self._shared: tuple[Network, Shared] | None = None

    def prepare(self, model: Network) -> Denoiser:
        """The model in DistributedDataParallel, wrapped once; the model itself stays what is saved and averaged."""
        if self.world == 1:
            return model
        if self._shared is None or self._shared[0] is not model:
            self._shared = model, Shared(self._accelerator.prepare_model(model), model.predicts)
        return self._shared[1]

    def unshared(self, denoiser: Denoiser) -> AbstractContextManager[object]:
        """See Processes."""
        return denoiser.module.no_sync() if isinstance(denoiser, Shared) else nullcontext()

    def mean(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """See Processes."""
        mean: Tensor = self._accelerator.reduce(values, "mean")
        return mean

    def first(self, value: T) -> T:
        """See Processes."""
        from accelerate.utils import broadcast_object_list

        result: T = broadcast_object_list([value])[0]
        return result

    def gather(self, part: Shaped[Tensor, "n *shape"]) -> Shaped[Tensor, "m *shape"]:
        """See Processes."""
        part = part.to(self.device)  # accelerate gathers where the processes compute
        sizes = self._accelerator.gather(torch.tensor([len(part)], device=self.device)).tolist()
        longest = self._accelerator.gather(self._accelerator.pad_across_processes(part)).chunk(self.world)
        return torch.cat([some[:n] for some, n in zip(longest, sizes, strict=True)]).cpu()

    def close(self) -> None:
        """See Processes."""
        if distributed.is_initialized():
            _left.append(distributed.group.WORLD)
        self._accelerator.end_training()


def accelerated(cpu: bool = False) -> Accelerated:
    """What a process can ask that `accelerate launch`, `torchrun` or `notebook_launcher` started.

    A GPU for each process, or the CPU for all (`cpu`, or where there is no GPU). Started by none, it is one process.
    """
    try:
        from accelerate import Accelerator
        from accelerate.utils import InitProcessGroupKwargs
    except ImportError as error:
        raise LaunchError(
            "Several processes need Hugging Face Accelerate, which is not installed: pip install accelerate (the extra "
            "`launch` of ddpm-lib)."
        ) from error
    cpu = cpu or not torch.cuda.is_available()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if not cpu and here > torch.cuda.device_count():
        raise LaunchError(
            f"{here} processes were launched on this machine, which has {torch.cuda.device_count()} GPU(s): launch one "
            "for each GPU, or pass --device cpu."
        )
    if multiprocessing.parent_process() is not None:
        # Forked by notebook_launcher: waiting for the threads that the notebook's OpenMP had would never end.
        torch.set_num_threads(1)
    # What lies on a GPU goes by nccl and the host's own numbers by gloo.
    group = [] if cpu else [InitProcessGroupKwargs(backend="cuda:nccl,cpu:gloo")]
    # Precision is our own affair (Machine.precision), whatever the launcher was told.
    return Accelerated(Accelerator(cpu=cpu, mixed_precision="no", kwargs_handlers=group))


def launched() -> bool:
    """Whether a launcher started this process as one of several."""
    named = all(name in os.environ for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
    return named and int(os.environ["WORLD_SIZE"]) > 1


def lost_process(error: RuntimeError) -> bool:
    """Whether an error says that another process of the run is gone, or does not answer."""
    words = ("gloo", "nccl", "connection", "timed out")  # gloo raises plain RuntimeErrors
    return isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in words)
