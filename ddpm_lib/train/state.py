"""What a run changes: weights, their average, the optimizer, the random numbers, and the count of steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ddpm_lib.models import Network
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.ema import EMA


@dataclass
class TrainState:
    """Everything that a run changes; saved and restored, it continues to the bit (see checkpoint.py)."""

    model: Network
    ema: EMA
    optimizer: torch.optim.Optimizer
    generator: torch.Generator  # of timesteps, noise, dropped labels and mirrored images
    step: int = 0  # optimizer steps taken
    seconds: float = 0.0  # time spent


def start(model: Network, config: TrainConfig) -> TrainState:
    """The state before the first step, on the device where the model is."""
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=config.lr,
        betas=config.betas,
        weight_decay=config.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    generator = torch.Generator(device).manual_seed(config.seed)
    return TrainState(model, EMA(model, config.ema), optimizer, generator)


def share_done(state: TrainState, config: TrainConfig) -> float:
    """How much of the run is done, 0 ... 1, by steps or by the clock, whichever is further."""
    by_clock = 0.0 if config.seconds is None else state.seconds / config.seconds
    return min(max(state.step / config.steps, by_clock), 1.0)
