"""Everything about the machine in one call: the gradient of a batch's loss, however it is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.models import use_winograd
from ddpm_lib.train.config import Machine, Precision
from ddpm_lib.train.machine.compiling import compile_network
from ddpm_lib.train.machine.processes import Processes
from ddpm_lib.train.state import TrainState

# (denoiser, tensors of some images ...) -> their mean loss
Loss = Callable[..., Float[Tensor, ""]]


class Backward:
    """The backward pass of a run: in microbatches, shared by processes, in a precision and layout.

    On construction the networks and the optimizer's moments take the machine's memory layout and algorithms.
    """

    def __init__(self, state: TrainState, machine: Machine, processes: Processes, seed: int = 0) -> None:
        self.state, self.machine, self.processes, self.seed = state, machine, processes, seed
        for network in (state.model, state.ema.average):
            use_winograd(network, machine.winograd)
            if machine.channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for parameter, moments in state.optimizer.state.items():
            for name, moment in moments.items():
                if moment.shape == parameter.shape and moment.stride() != parameter.stride():
                    moments[name] = torch.empty_like(parameter).copy_(moment)
        if machine.compile:
            compile_network(state.model)
        self.denoiser = processes.prepare(state.model)

    def __call__(
        self, loss: Loss, own: Sequence[Tensor | None], whole: Sequence[Tensor | None]
    ) -> Float[Tensor, ""]:
        """Set the parameters' .grad to the gradient of the batch's mean loss; return the loss, still on the device.

        own: what belongs to this process's images; whole: to those of all processes, of which it takes its part.
        """
        parts = (None if each is None else each[self.processes.part(len(each))] for each in whole)
        tensors = [self._laid_out(each) for each in (*own, *parts)]
        images = next(len(each) for each in own if each is not None)
        device, count = self.state.generator.device, self.machine.accumulate
        self.state.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=device)
        for i in range(count):
            micro = slice(images * i // count, images * (i + 1) // count)
            some = [None if each is None else each[micro] for each in tensors]
            # With the last microbatch, processes take the mean of their gradients.
            with nullcontext() if i == count - 1 else self.processes.unshared(self.denoiser):
                with autocast(device, self.machine.precision), self._own_dropout(i):
                    value = loss(self.denoiser, *some)
                value = value * ((micro.stop - micro.start) / images)
                value.backward()
            total += value.detach()
        return total

    def _laid_out(self, tensor: Tensor | None) -> Tensor | None:
        if tensor is None or tensor.ndim != 4 or not self.machine.channels_last:
            return tensor
        return tensor.contiguous(memory_format=torch.channels_last)

    @contextmanager
    def _own_dropout(self, microbatch: int) -> Iterator[None]:
        """Dropout draws from torch's global generator: seed it, then give it back as it was.

        The seed follows from the step and the microbatch's number among those of all processes, so a resumed run drops
        what the straight one does, and two processes what one does with its batch in two microbatches.
        """
        device = self.state.generator.device
        number = self.processes.rank * self.machine.accumulate + microbatch
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed((self.seed * 1_000_003 + self.state.step + (number << 40)) % 2**63)
            yield


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """bfloat16 autocast, or nothing."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()
