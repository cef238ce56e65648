"""How a network is trained: the algorithm, which decides what is learnt, and the machine, which only computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ddpm_lib.loss import DrawT
from ddpm_lib.models.header import check_settings

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class TrainConfig:
    """The algorithm. Learning rate and Adam as in Ho et al. 2020, appendix B; the rest for short runs."""

    steps: int = 10_000  # optimizer steps
    seconds: float | None = None  # stop after this time even if steps are left; the decay follows the clock
    batch: int = 64  # images per step, of all processes together
    lr: float = 2e-4  # Adam's step size after the warm-up
    warmup: float = 0.05  # share of the run in which lr rises from 0
    decay: Literal["cosine", "none"] = "cosine"  # of lr, to 0 at the end
    betas: tuple[float, float] = (0.9, 0.999)  # Adam's two averages
    weight_decay: float = 0.0  # AdamW's
    clip: float = 1.0  # largest norm of the gradient; 0 is no clipping
    ema: float = 0.999  # decay of the averaged weights, per step
    label_drop: float = 0.1  # share of labels replaced by "no class", where there are classes
    draw_t: DrawT = "uniform"  # how timesteps are drawn; see loss.t_weights
    flip: bool = False  # whether half of the images are mirrored, left to right, each time they are drawn
    seed: int = 0  # of timesteps, noise, dropped labels and mirrored images
    every: int = 10  # steps between two Progress

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Machine:
    """How a step is computed: the same step but for rounding, in less time or memory. `probe.fastest` measures it."""

    accumulate: int = 1  # microbatches that a process's share of a batch is computed in
    precision: Precision = "float32"  # of the forward and backward pass
    channels_last: bool = False  # memory layout of images and weights
    winograd: int = 0  # 3 x 3 convolutions of so many feature maps or more by Winograd's algorithm; 0 is none
    compile: bool = (
        False  # the network, by torch.compile: pays in long runs, most on a GPU (see compiling.py)
    )

    def __post_init__(self) -> None:
        check_settings(self, but="accumulate")  # which must fit the batch: loop.check_batch
