"""A network compiled for the machine it runs on: fewer, fused kernels, and on a GPU one graph a pass.

Compiling takes half a minute to two, at the first pass and again for each new batch size, so it pays in long runs.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import torch
from torch import nn


def compile_network(network: nn.Module) -> None:
    """Have `network` compiled by torch at its next call, in place: its weights, their names and its type stay.

    On CUDA the kernels of a pass are recorded as one graph, so that the host launches one thing in place of hundreds;
    a small network spends most of its time on launches. Raises ValueError where torch lacks a compiler.
    """
    device = next(network.parameters()).device
    can_compile(device)
    network.compile(mode="reduce-overhead" if device.type == "cuda" else "default", dynamic=False)


def can_compile(device: torch.device) -> None:
    """Raise ValueError where torch lacks a compiler for the device."""
    if device.type == "cuda" and find_spec("triton") is None:
        raise ValueError("Compiling for a GPU needs Triton, which is not installed: leave compiling out.")
    if device.type == "cpu" and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
        raise ValueError(
            "Compiling for the CPU needs a C++ compiler, and there is none: install g++, or leave it out."
        )


def tune(device: torch.device) -> None:
    """Let float32 matrix products on CUDA use TensorFloat-32, as convolutions do by default; elsewhere nothing.

    TF32 rounds factors to 10 bits of mantissa and sums in float32: eight times the speed on an A100, and an error of
    about 1e-3, far below that of a stochastic gradient. It is a setting of the whole process.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
