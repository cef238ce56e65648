"""DPM-Solver++ of second order: exact where x0_hat is linear in lambda, one call a step."""

import math
from itertools import pairwise

import pytest
import torch

from ddpm_lib.flow import DPMSolver2M, heun_step, noise_level
from ddpm_lib.sampling import ddim_step
from tests.helpers import close, normal
from tests.walks import DIFFUSION, FINE, walk


@pytest.mark.equation("eq-dpm-solver")
def test_dpm_solver_is_exact_where_x0_hat_is_linear_in_lambda() -> None:
    """x_s = (s_s / s_t) x_t + a_s times the integral of e^(lambda - lambda_s) x0_hat: Lu et al. 2022, prop. 4.1."""
    schedule, xt = FINE, normal(3, 4)
    lam = -noise_level(schedule).log()
    at, rate = normal(3, 4, seed=1), normal(3, 4, seed=2)
    solver, path = DPMSolver2M(), (3600, 3000, 2100, 1000)
    for t, s in pairwise(path):
        x0_hat = at + rate * lam[t]
        a, spread = schedule.alpha_bar[s].sqrt(), (1 - schedule.alpha_bar).sqrt()
        h = lam[s] - lam[t]
        # the line through both guesses, taken at the middle of the stride
        middle = at + rate * ((lam[t] + lam[s]) / 2 if t != path[0] else lam[t])
        wanted = spread[s] / spread[t] * xt + a * (1 - (-h).exp()) * middle
        eps_hat = DIFFUSION.predict_eps(xt, t, x0_hat)
        xt = solver(DIFFUSION, xt, t, s, x0_hat, eps_hat, xt)
        close(xt, wanted, 1e-9)


def test_dpm_solver_calls_once_a_step_is_of_order_2_and_begins_anew() -> None:
    xT = normal(100, 2, seed=3)
    path = list(range(3072, 1023, -16))
    truth = walk(heun_step, xT, path)[-1].xt
    errors = [
        float((walk(DPMSolver2M(), xT, path[::skip])[-1].xt - truth).abs().mean()) for skip in (16, 8, 4)
    ]
    for coarse, fine in pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(2, abs=0.5)
    assert errors[-1] < 0.2 * float((walk(ddim_step, xT, path[::4])[-1].xt - truth).abs().mean())
    solver = DPMSolver2M()
    first, again = (walk(solver, xT, 12)[-1].xt for _ in range(2))
    assert torch.equal(first, again)
    # the last step is DDIM's, which ends at x0_hat
    last = walk(solver, xT, 12)[-1]
    assert last.x0_hat is not None
    close(last.xt, last.x0_hat, 1e-12)
