"""Scores: Tweedie's guess, Langevin's walk, and the SDE and the ODE that DDPM and DDIM follow."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.names import (
    langevin_step,
    reverse_sde_step,
    tweedie,
)
from ddpm_lib.models import OracleDenoiser
from ddpm_lib.sampling import ddim_step, ddpm_step
from ddpm_lib.schedule import linear_schedule
from tests.helpers import assert_mean, assert_variance, close, generator, normal
from tests.three_paths import DIFFUSION, MIXTURE, ORACLE, SCHEDULE, TIMES, each


@pytest.mark.equation("eq-tweedie")
def test_tweedie_is_the_oracles_guess() -> None:
    x = normal(30, 2)
    for t in TIMES:
        law = MIXTURE.noised(SCHEDULE.alpha_bar[t])
        at = x.clone().requires_grad_()
        (score,) = torch.autograd.grad(law.log_prob(at).sum(), at)
        eps = ORACLE(x, each(t, 30))
        # the score by differentiation of the density, not by its name
        close(DIFFUSION.score(x, t, eps), score, 1e-8 * (1 + float(score.abs().max())))
        x0_hat = DIFFUSION.predict_x0(x, t, eps)
        close(tweedie(DIFFUSION, x, t, score), x0_hat, 1e-7 * (1 + float(x0_hat.abs().max())))


@pytest.mark.equation("eq-langevin")
def test_langevin_keeps_the_density_and_a_step_without_noise_does_not() -> None:
    law = MIXTURE.noised(SCHEDULE.alpha_bar[200])
    x, noise = law.draw(20_000, generator(3)), normal(30, 20_000, 2, seed=4)
    fresh = law.draw(400_000, generator(5))
    kept, shrunk = x, x
    for z in noise:
        score = DIFFUSION.score(kept, 200, ORACLE(kept, each(200, len(kept))))
        kept = langevin_step(kept, score, 0.01, z)
        score = DIFFUSION.score(shrunk, 200, ORACLE(shrunk, each(200, len(shrunk))))
        shrunk = langevin_step(shrunk, score, 0.01, 0 * z)
    assert_mean(kept, fresh.mean(0))
    assert_variance(kept, fresh.var(0))
    assert bool((shrunk.var(0) < 0.9 * fresh.var(0)).all())


@pytest.mark.equation("eq-reverse-sde")
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_ddpm_and_ddim_are_the_sde_and_the_ode_in_short_steps(noise: float) -> None:
    """The difference of one step falls with the square of beta."""
    x, z, off = normal(50, 2), normal(50, 2, seed=1), []
    for T in (1000, 2000, 4000):
        schedule = linear_schedule(T)
        diffusion, t = GaussianDiffusion(schedule), T // 2
        eps = OracleDenoiser(MIXTURE, schedule.alpha_bar)(x, each(t, 50))
        guess = diffusion.predict_x0(x, t, eps), eps
        ours = (ddpm_step if noise else ddim_step)(diffusion, x, t, t - 1, *guess, z, None)  # type: ignore[arg-type]
        step = reverse_sde_step(x, diffusion.score(x, t, eps), schedule.beta[t], z, noise)
        off.append(float((ours - step).abs().max()) / float(schedule.beta[t]))
    # of the noise, sqrt(beta-tilde) and sqrt(beta) differ by beta^1.5: half an order less
    order = 0.5 if noise else 1.0
    for coarse, fine in pairwise(off):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.3)
