"""Against diffusers' schedulers: the same tables, and whole trajectories with the same noise.

Their time is one less than ours: their index 0 is our t = 1, and our clean image is their index -1.
"""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.sampling import timesteps
from tests.helpers import close, generator
from tests.their_schedulers import BOTH, SCHEDULES, in_float64, theirs
from tests.their_schedulers import quick as quick


@BOTH
def test_tables_agree(name):
    ours, other = SCHEDULES[name], theirs(DDPMScheduler, name)
    close(ours.beta[1:].float(), other.betas, 1e-7)
    close(ours.alpha_bar[1:].float(), other.alphas_cumprod, 1e-6)
    close(ours.alpha_bar[1:], in_float64(other).alphas_cumprod, 1e-6)


@BOTH
def test_q_sample_and_v_are_their_add_noise_and_velocity(name):
    diffusion, other = GaussianDiffusion(SCHEDULES[name]), in_float64(theirs(DDPMScheduler, name))
    x0, eps = (torch.randn(1000, 4, generator=generator(s), dtype=torch.float64) for s in (0, 1))
    t = torch.arange(1, 1001)
    close(diffusion.q_sample(x0, t, eps), other.add_noise(x0, eps, t - 1), 1e-5)
    close(diffusion.predict_v(x0, t, eps), other.get_velocity(x0, eps, t - 1), 1e-5)


@pytest.mark.parametrize("steps", [1000, 50])
def test_the_times_are_theirs_plus_one(steps):
    scheduler = theirs(DDIMScheduler, "linear")
    scheduler.set_timesteps(steps)
    assert timesteps(1000, steps) == [*(scheduler.timesteps + 1).tolist(), 0]
