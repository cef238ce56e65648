"""Whole trajectories against diffusers' schedulers, with the same noise: DDPM, DDIM, DPM-Solver and the loop."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from diffusers.schedulers import scheduling_ddpm

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import DPMSolver2M
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import DDIM, DDPM, sample, sample_from
from tests.helpers import close, generator
from tests.their_schedulers import BOTH, SCHEDULES, in_float64, theirs
from tests.their_schedulers import quick as quick

THEIR_NAMES = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}
# Two of the means lie outside [-1, 1], so that clipping has something to clip.
MIXTURE = GaussianMixture(
    torch.tensor([[1.3, 0.5], [-0.7, -1.2], [0.2, 0.1]]).double(),
    torch.tensor([0.3, 0.2, 0.4]).double(),
    torch.tensor([0.3, 0.3, 0.4]).double(),
)


class Answer:
    """The oracle's answer for points, in the parametrization asked for, from formulas of its own."""

    def __init__(self, predicts, schedule):
        self.predicts, self.alpha_bar = predicts, schedule.alpha_bar
        self.oracle = OracleDenoiser(MIXTURE, schedule.alpha_bar)

    def __call__(self, xt, t, y=None):
        ab = self.alpha_bar[t][:, None]
        eps = self.oracle(xt.double(), t)
        x0 = (xt.double() - (1 - ab).sqrt() * eps) / ab.sqrt()
        v = ab.sqrt() * eps - (1 - ab).sqrt() * x0
        return {"eps": eps, "x0": x0, "v": v}[self.predicts].to(xt.dtype)


def our_trajectory(schedule, predicts, step, steps, clip, noise):
    """x at every time of the path, in float64, from the steps of the library."""
    options = {"noise": iter(noise[1:]).__next__, "step": step, "steps": steps, "clip": clip}
    _, *states = sample_from(Answer(predicts, schedule), GaussianDiffusion(schedule), noise[0], **options)
    return torch.stack([state.xt for state in states])


def their_trajectory(scheduler, schedule, predicts, steps, noise, step):
    """The same from their scheduler; `step(output, t, x, z)` calls it."""
    scheduler.set_timesteps(steps)
    denoiser, x, xs = Answer(predicts, schedule), noise[0], []
    for t, z in zip(scheduler.timesteps, noise[1:], strict=True):
        output = denoiser(x, (t + 1).expand(len(x)))
        x = step(output, t, x, z)
        xs.append(x)
    return torch.stack(xs)


def noise_of(steps, n=16):
    return torch.randn(steps + 1, n, 2, generator=generator(0), dtype=torch.float64)


def compare(ours, other):
    """Below 1e-5 everywhere, in a trajectory that is no triviality."""
    close(ours, other, 1e-5)
    assert float(ours[-1].std()) > 0.3


LONG_AND_SHORT = pytest.mark.parametrize(("steps", "clip"), [(1000, True), (50, True), (50, False)])


@BOTH
@LONG_AND_SHORT
@pytest.mark.parametrize(
    ("predicts", "sigma2"), [("eps", "beta_tilde"), ("eps", "beta"), ("x0", "beta_tilde"), ("v", "beta")]
)
def test_ddpm_trajectories_agree(name, steps, clip, predicts, sigma2, monkeypatch):
    noise = noise_of(steps)
    scheduler = in_float64(
        theirs(
            DDPMScheduler,
            name,
            clip_sample=clip,
            prediction_type=THEIR_NAMES[predicts],
            variance_type={"beta_tilde": "fixed_small", "beta": "fixed_large"}[sigma2],
        )
    )

    def step(output, t, x, z):
        monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda *args, **kwargs: z)
        return scheduler.step(output, t, x).prev_sample

    ours = our_trajectory(SCHEDULES[name], predicts, DDPM(sigma2), steps, clip, noise)
    other = their_trajectory(scheduler, SCHEDULES[name], predicts, steps, noise, step)
    if steps < 1000 and sigma2 == "beta":
        # Theirs adds noise in the last step of a respaced chain; Algorithm 2 adds none. Leave that step out.
        assert float((ours[-1] - other[-1]).abs().max()) > 1e-3
        ours, other = ours[:-1], other[:-1]
    compare(ours, other)


@BOTH
@LONG_AND_SHORT
@pytest.mark.parametrize(("predicts", "eta"), [("eps", 0.0), ("eps", 0.7), ("x0", 0.0), ("v", 0.7)])
def test_ddim_trajectories_agree(name, steps, clip, predicts, eta):
    noise = noise_of(steps)
    scheduler = in_float64(
        theirs(
            DDIMScheduler,
            name,
            clip_sample=clip,
            prediction_type=THEIR_NAMES[predicts],
            set_alpha_to_one=True,
        )
    )

    def step(output, t, x, z):
        options = {"use_clipped_model_output": clip, "variance_noise": z if eta else None}
        return scheduler.step(output, t, x, eta=eta, **options).prev_sample

    ours = our_trajectory(SCHEDULES[name], predicts, DDIM(eta), steps, clip, noise)
    compare(ours, their_trajectory(scheduler, SCHEDULES[name], predicts, steps, noise, step))


@BOTH
@pytest.mark.parametrize("steps", [10, 50])
@pytest.mark.parametrize("predicts", ["eps", "v"])
def test_dpm_solver_trajectories_agree(name, steps, predicts):
    scheduler = DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_schedule=name,
        beta_start=1e-4,
        beta_end=0.02,
        timestep_spacing="trailing",
        prediction_type=THEIR_NAMES[predicts],
        algorithm_type="dpmsolver++",
        solver_order=2,
        final_sigmas_type="zero",
    )
    in_float64(scheduler)

    def step(output, t, x, z):
        return scheduler.step(output, t, x).prev_sample

    noise = noise_of(steps)
    ours = our_trajectory(SCHEDULES[name], predicts, DPMSolver2M(), steps, False, noise)
    compare(ours, their_trajectory(scheduler, SCHEDULES[name], predicts, steps, noise, step))


def test_the_loop_of_sample_is_theirs_too(monkeypatch):
    # Not only the steps: `sample` itself, in float32 with its own seeds, against their loop and tables.
    name, steps = "linear", 50
    states = list(
        sample(
            Answer("eps", SCHEDULES[name]),
            GaussianDiffusion(SCHEDULES[name]),
            (2,),
            seeds=range(8),
            steps=steps,
            clip=True,
        )
    )
    generators = [generator(seed) for seed in range(8)]
    noise = torch.stack(
        [torch.stack([torch.randn(2, generator=g) for g in generators]) for _ in range(steps + 1)]
    )
    scheduler = theirs(DDPMScheduler, name, clip_sample=True)

    def step(output, t, x, z):
        monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda *args, **kwargs: z)
        return scheduler.step(output, t, x).prev_sample

    other = their_trajectory(scheduler, SCHEDULES[name], "eps", steps, noise, step)
    close(torch.stack([state.xt for state in states[1:]]), other, 1e-5)
