"""Walks by a solver, and where they end."""

from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import OracleDenoiser
from ddpm_lib.sampling import State, Step, sample_from
from ddpm_lib.schedule import linear_schedule
from tests.mixture import MIXTURE as MIXTURE

FINE = linear_schedule(4096)
DIFFUSION = GaussianDiffusion(FINE)
ORACLE = OracleDenoiser(MIXTURE, FINE.alpha_bar)


def walk(step: Step, xT: Tensor, steps: int | list[int], denoiser: Denoiser = ORACLE) -> list[State]:
    return list(sample_from(denoiser, DIFFUSION, xT, step=step, steps=steps, clip=False))


def end(step: Step, xT: Tensor, steps: int | list[int]) -> Tensor:
    last = walk(step, xT, steps)[-1]
    assert last.t == 0
    return last.xt
