"""Which precision, memory layout and algorithm train this network fastest on this machine: measured, not looked up."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.models import Network, use_winograd
from ddpm_lib.models.winograd import winograd_widths
from ddpm_lib.train.config import Machine, Precision
from ddpm_lib.train.machine.backward import autocast

ROUNDS = 3
LONG = 4.0  # seconds that a pass should take at most: a large network is measured on fewer images
WIDE = (32, 64)  # feature maps from which on Winograd's algorithm is tried
# The precision, whether channels_last, and from how many feature maps on Winograd's algorithm (0: nowhere).
Choice = tuple[Precision, bool, int]
PLAIN: Choice = ("float32", False, 0)


def fastest(model: Network, x0: Float[Tensor, "b *shape"], machine: Machine | None = None) -> Machine:
    """`machine` with the precision, layout and algorithm whose forward and backward pass took least time on `x0`.

    float32 in the plain layout stays unless another choice is at least 5 % faster. Takes a few seconds, or up to a
    minute for a large network on a CPU; the model is not changed.
    """
    machine = machine or Machine()
    x0 = x0[: max(1, len(x0) // machine.accumulate)]  # as many as are computed at a time
    times = _seconds(model, x0, _choices(model, x0.device))
    best = min(times, key=lambda choice: times[choice])
    if times[best] > 0.95 * times[PLAIN]:
        best = PLAIN
    precision, channels_last, winograd = best
    return replace(machine, precision=precision, channels_last=channels_last, winograd=winograd)


def _choices(model: Network, device: torch.device) -> list[Choice]:
    choices: list[Choice] = [(p, last, 0) for p, last in product(_precisions(device), (False, True))]
    if device.type == "cpu":
        widths = winograd_widths(model)
        served = {sum(width >= n for width in widths): n for n in WIDE}  # the same layers are tried once
        choices += [("float32", True, n) for layers, n in served.items() if layers]
    return choices


def _precisions(device: torch.device) -> tuple[Precision, ...]:
    if device.type == "mps" or (device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 0)):
        return ("float32",)  # bfloat16 is emulated there
    if device.type == "cpu" and _emulated():
        return ("float32",)
    return ("float32", "bfloat16")


def _emulated() -> bool:
    """Whether one small convolution takes so long in bfloat16 that a whole network need not be tried."""

    def convolve(dtype: torch.dtype) -> Callable[[], object]:
        x, w = torch.zeros(8, 32, 14, 14, dtype=dtype), torch.zeros(32, 32, 3, 3, dtype=dtype)
        return lambda: F.conv2d(x, w)

    slow, fast = (_least(convolve(dtype)) for dtype in (torch.bfloat16, torch.float32))
    return slow > 2 * fast


def _least(do: Callable[[], object]) -> float:
    return min(_timed(do) for _ in range(1 + ROUNDS))


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _seconds(model: Network, x0: Float[Tensor, "b *shape"], choices: list[Choice]) -> dict[Choice, float]:
    """For each choice the shortest of a few forward and backward passes, taken in turn after one to warm up."""
    one = _passing(model, x0[:1], PLAIN)
    one()  # the first of all loads kernels, which on a GPU takes longer than any pass
    x0 = x0[: max(1, int(LONG / _timed(one)))]
    passes = {choice: _passing(model, x0, choice) for choice in choices}
    times = [{choice: _timed(do) for choice, do in passes.items()} for _ in range(1 + ROUNDS)]
    return {choice: min(each[choice] for each in times[1:]) for choice in choices}


def _passing(model: Network, x0: Float[Tensor, "b *shape"], choice: Choice) -> Callable[[], None]:
    """A forward and a backward pass of a copy of the model."""
    precision, channels_last, winograd = choice
    trial = copy.deepcopy(model).train()
    use_winograd(trial, winograd)
    if channels_last and x0.ndim == 4:
        trial.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        x0 = x0.contiguous(memory_format=torch.channels_last)
    t = torch.ones(len(x0), dtype=torch.int64, device=x0.device)

    def do() -> None:
        with autocast(x0.device, precision):
            loss = trial(x0, t).float().square().mean()
        loss.backward()
        synchronize(x0.device)

    return do


def synchronize(device: torch.device) -> None:
    """Wait for what an accelerator was given to do; the CPU has nothing to wait for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
