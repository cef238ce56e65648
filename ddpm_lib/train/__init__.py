"""Algorithm 1 as a run: the loop, the averaged weights, checkpoints and presets; `machine/` makes it fast."""

from ddpm_lib.train.loop import (
    Batch,
    Progress,
    TrainConfig,
    TrainingError,
    TrainState,
    lr_factor,
    start,
    train,
)

__all__ = [
    "Batch",
    "Progress",
    "TrainConfig",
    "TrainState",
    "TrainingError",
    "lr_factor",
    "start",
    "train",
]
