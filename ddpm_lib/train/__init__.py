"""Algorithm 1 as a run: the loop, the averaged weights, checkpoints and presets; `machine/` makes it fast."""

from ddpm_lib.train.config import Machine, TrainConfig
from ddpm_lib.train.loop import Batch, lr_factor, train
from ddpm_lib.train.progress import Progress, TrainingError
from ddpm_lib.train.state import TrainState, start

__all__ = [
    "Batch",
    "Machine",
    "Progress",
    "TrainConfig",
    "TrainState",
    "TrainingError",
    "lr_factor",
    "start",
    "train",
]
