"""Walks by a solver, and where they end."""

import torch
from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import State, Step, sample_from
from ddpm_lib.schedule import linear_schedule

FINE = linear_schedule(4096)
DIFFUSION = GaussianDiffusion(FINE)
MIXTURE = GaussianMixture(
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.tensor([0.2, 0.4]).double(),
    torch.tensor([0.3, 0.7]).double(),
)
ORACLE = OracleDenoiser(MIXTURE, FINE.alpha_bar)


def walk(step: Step, xT: Tensor, steps: int | list[int], denoiser: Denoiser = ORACLE) -> list[State]:
    return list(sample_from(denoiser, DIFFUSION, xT, step=step, steps=steps, clip=False))


def end(step: Step, xT: Tensor, steps: int | list[int]) -> Tensor:
    last = walk(step, xT, steps)[-1]
    assert last.t == 0
    return last.xt
