"""Rows of benchmarks/peers.py: a step of a sampler in every library, and what of it is not the network's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.libraries import Arm, sampling
from benchmarks.networks import BUILD, SHAPE, SIZES
from benchmarks.peer_training import compared, fastest_of, libraries
from benchmarks.rows import Row
from benchmarks.timing import interleave
from ddpm_lib.models import use_winograd
from ddpm_lib.train.machine.compiling import compile_network


def sample_row(sampler: str, size: str, device: str, rounds: int) -> Row:
    """Time of one step of the sampler with 64 images, float32, the networks as the libraries build them."""
    steps = 40 if device == "cuda" else 4 if size == "1 M" else 2
    networks = {name: BUILD[name](SIZES[size]).to(device).eval() for name in libraries()}
    networks["ours"].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    use_winograd(networks["ours"], fastest_of(size, device, 64).winograd)
    if device == "cuda":
        compile_network(networks["ours"])
    arms = {name: sampling(name, network, sampler, 64, steps, device) for name, network in networks.items()}
    return per_step(arms, steps, rounds)


class Idle(nn.Module):
    """A network that answers at once, with one and the same tensor: what is left is the sampler's own work."""

    predicts, channels, out_dim, self_condition = "eps", 1, 1, False

    def __init__(self, answer: Tensor, wrapped: bool) -> None:
        super().__init__()
        self.answer, self.wrapped = answer, wrapped
        self.dtype = torch.float32

    def forward(self, *inputs: Any) -> Any:
        """The same for any input; diffusers' networks wrap it in an object with `sample`."""
        return self if self.wrapped else self.answer

    @property
    def sample(self) -> Tensor:
        """As diffusers reads it."""
        return self.answer


def overhead_row(sampler: str, device: str, rounds: int) -> Row:
    """Time that a sampler's step takes besides the network, with 64 images."""
    steps = 40
    answer = torch.randn(64, *SHAPE, device=device)
    arms = {
        name: sampling(name, Idle(answer, name == "diffusers"), sampler, 64, steps, device)
        for name in libraries()
    }
    return per_step(arms, steps, rounds)


def per_step(arms: dict[str, Arm], steps: int, rounds: int) -> Row:
    times = interleave(arms, rounds)
    return compared({name: [s / steps for s in values] for name, values in times.items()})
