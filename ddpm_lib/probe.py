"""Which precision and memory layout train this network fastest on this machine: measured, not looked up."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.gradient import Precision, autocast
from ddpm_lib.models import Network
from ddpm_lib.train import TrainConfig

ROUNDS = 3


def fastest(model: Network, x0: Float[Tensor, "b *shape"], config: TrainConfig) -> TrainConfig:
    """`config` with the precision and layout whose forward and backward pass took least time on `x0`.

    float32 in the plain layout stays unless another choice is at least 5 % faster. Takes a few seconds; the
    model is not changed.
    """
    times: dict[tuple[Precision, bool], float] = {}
    for precision, channels_last in product(_precisions(x0.device), (False, True)):
        times[precision, channels_last] = _seconds(model, x0, precision, channels_last)
    best = min(times, key=lambda choice: times[choice])
    if times[best] > 0.95 * times["float32", False]:
        best = ("float32", False)
    precision, channels_last = best
    return replace(config, precision=precision, channels_last=channels_last)


def _precisions(device: torch.device) -> tuple[Precision, ...]:
    if device.type == "mps" or (device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 0)):
        return ("float32",)  # bfloat16 is emulated there
    return ("float32", "bfloat16")


def _seconds(
    model: Network, x0: Float[Tensor, "b *shape"], precision: Precision, channels_last: bool
) -> float:
    """The shortest of a few forward and backward passes, after one to warm up."""
    trial = copy.deepcopy(model).train()
    if channels_last and x0.ndim == 4:
        trial.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        x0 = x0.contiguous(memory_format=torch.channels_last)
    t = torch.ones(len(x0), dtype=torch.int64, device=x0.device)
    best = float("inf")
    for round_ in range(ROUNDS + 1):
        synchronise(x0.device)
        begun = time.perf_counter()
        with autocast(x0.device, precision):
            loss = trial(x0, t).float().square().mean()
        loss.backward()
        synchronise(x0.device)
        elapsed = time.perf_counter() - begun
        best = min(best, elapsed) if round_ else best  # the first warms up
    return best


def synchronise(device: torch.device) -> None:
    """Wait for what an accelerator was given to do; the CPU has nothing to wait for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
