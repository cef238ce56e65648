"""The loss of a batch and its gradient, piece by piece: what a step does before the optimizer's turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import simple_loss
from ddpm_lib.train.machine.processes import Engine

Precision = Literal["float32", "bfloat16"]


def backward(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: Float[Tensor, "b *shape"],
    t: Int[Tensor, " b"],
    eps: Float[Tensor, "b *shape"],
    y: Int[Tensor, " b"] | None,
    *,
    pieces: int,
    precision: Precision,
    seed: int,
    engine: Engine,
) -> Float[Tensor, ""]:
    """Add the gradient of simple_loss to the parameters' .grad; return the loss, which stays on the device.

    The batch is cut into `pieces`, one in memory at a time. With the last, processes take the mean of their gradients.
    Features are dropped as a function of `seed` and the piece's number in the batch of all processes.
    """
    total = x0.new_zeros(())
    for i in range(pieces):
        piece = slice(len(x0) * i // pieces, len(x0) * (i + 1) // pieces)
        dropout = _own_dropout(seed + ((engine.rank * pieces + i) << 40), x0.device)
        with nullcontext() if i == pieces - 1 else engine.unshared(denoiser):
            with autocast(x0.device, precision), dropout:
                labels = None if y is None else y[piece]
                loss = simple_loss(denoiser, diffusion, x0[piece], t[piece], eps[piece], labels)
            loss = loss * ((piece.stop - piece.start) / len(x0))
            loss.backward()
        total += loss.detach()
    return total


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """bfloat16 autocast, or nothing."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()


@contextmanager
def _own_dropout(seed: int, device: torch.device) -> Iterator[None]:
    """Dropout draws from torch's global generator: seed it, then give it back as it was.

    So a resumed run drops what the straight one does. Two processes drop what one does with its batch in two pieces;
    with the batch in one piece it drops other features, as many.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
