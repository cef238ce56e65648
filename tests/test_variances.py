"""The variance of a reverse step: between the paper's two, the best one, and a loss that finds it."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ddpm_lib import bound, gaussian
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.further.variances import best_variance, between_variances, hybrid_loss, step_kl
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.models.oracle import least_loss
from ddpm_lib.schedule import cosine_schedule
from tests.helpers import assert_mean, close, generator, normal

SCHEDULE = cosine_schedule(100)
DIFFUSION = GaussianDiffusion(SCHEDULE)
LINE = GaussianMixture(
    torch.tensor([[-1.0], [0.8]]).double(),
    torch.tensor([0.15, 0.25]).double(),
    torch.tensor([0.4, 0.6]).double(),
)
ORACLE = OracleDenoiser(LINE, SCHEDULE.alpha_bar)
ONE = torch.ones(1, 1, dtype=torch.float64)
STEPS = [(2, 1), (50, 49), (60, 20), (99, 40)]


@pytest.mark.equation("eq-between-variances")
@pytest.mark.parametrize(("t", "s"), STEPS)
def test_the_ends_are_the_papers_two_and_the_logarithm_moves_evenly(t: int, s: int) -> None:
    small, large = (float(DIFFUSION.reverse_variance(ONE, t, s, kind)) for kind in ("beta_tilde", "beta"))
    for v in (0.0, 0.25, 0.5, 1.0, 1.3):
        ours = float(between_variances(DIFFUSION, ONE, t, s, v * ONE))
        assert ours == pytest.approx(small * (large / small) ** v, rel=1e-12)


@pytest.mark.equation("eq-best-variance")
@pytest.mark.parametrize("tau", [0.0, 0.3, 1.0, 2.0])
@pytest.mark.parametrize(("t", "s"), STEPS)
def test_of_gaussian_data_the_best_variance_is_the_true_one(t: int, s: int, tau: float) -> None:
    """q(x_s | x_t) by the product rule, q(x_s) times the step; Var[x_0 | x_t] likewise."""
    ab_t, ab_s = (float(SCHEDULE.alpha_bar[k]) for k in (t, s))
    a = ab_t / ab_s
    _, true = gaussian.product(0.0, ab_s * tau + 1 - ab_s, 0.0, (1 - a) / a)
    error = 0.0 if tau == 0 else 1 / (1 / tau + ab_t / (1 - ab_t))
    assert float(best_variance(DIFFUSION, ONE, t, s, error)) == pytest.approx(float(true), rel=1e-9)


@pytest.mark.parametrize(("t", "s"), STEPS)
def test_the_best_variance_is_that_of_true_steps_around_the_mean(t: int, s: int) -> None:
    """Draw x_0, x_t and x_s from q: the mean square of x_s minus the oracle's mean is the best variance."""
    n = 200_000
    x0 = LINE.draw(n, generator(0))
    xt = DIFFUSION.q_sample(x0, t, normal(n, 1, seed=1))
    mean, variance = DIFFUSION.q_posterior(x0, xt, t, s)
    xs = gaussian.reparameterize(mean, variance, normal(n, 1, seed=2))
    guess, _ = DIFFUSION.p_mean_variance(ORACLE, xt, t, s, clip=False)
    error = float(least_loss(ORACLE, [t])) / float(SCHEDULE.snr[t])
    assert_mean((xs - guess).square(), float(best_variance(DIFFUSION, ONE, t, s, error)))


@pytest.mark.parametrize(("t", "s"), STEPS)
def test_no_other_variance_costs_less(t: int, s: int) -> None:
    x0, eps = LINE.draw(5000, generator(0)), normal(5000, 1, seed=1)
    xt = DIFFUSION.q_sample(x0, t, eps)
    x0_hat, _ = DIFFUSION.denoise(ORACLE, xt, t, clip=False)
    best = best_variance(DIFFUSION, xt, t, s, float((x0 - x0_hat).square().mean()))

    def cost(variance: torch.Tensor) -> float:
        return float(step_kl(DIFFUSION, x0, xt, t, s, x0_hat, variance).mean())

    least = cost(best)
    assert all(cost(factor * best) > least for factor in (0.5, 0.95, 1.05, 2.0))
    small = DIFFUSION.reverse_variance(ONE, t, s, "beta_tilde")
    assert least == pytest.approx(float((best / small).log().mean()) / 2, rel=1e-9)


def test_a_step_costs_what_the_bound_says_at_the_papers_variances() -> None:
    x0, eps = LINE.draw(20, generator(0)), normal(20, 1, seed=1)
    for t in (2, 50, 99):
        xt = DIFFUSION.q_sample(x0, t, eps)
        x0_hat, _ = DIFFUSION.denoise(ORACLE, xt, t, clip=False)
        for kind in ("beta_tilde", "beta"):
            variance = DIFFUSION.reverse_variance(xt, t, t - 1, kind)  # type: ignore[arg-type]
            ours = step_kl(DIFFUSION, x0, xt, t, t - 1, x0_hat, variance).sum(1)
            term = bound.step_term(ORACLE, DIFFUSION, x0, t, eps, sigma2=kind, clip=False)  # type: ignore[arg-type]
            close(ours, term, 1e-9)


@pytest.mark.equation("eq-hybrid")
def test_the_hybrid_loss_teaches_the_noise_by_l_simple_and_the_variance_by_the_bound() -> None:
    x0, eps, t = normal(6, 3), normal(6, 3, seed=1), torch.tensor([2, 9, 30, 50, 80, 100])
    eps_hat = (eps + 0.1 * normal(6, 3, seed=2)).requires_grad_()
    v = torch.full((6, 1), 0.4, dtype=torch.float64, requires_grad=True)
    loss = hybrid_loss(DIFFUSION, x0, t, eps, eps_hat, v, weight=0.01)
    of_noise, of_variance = torch.autograd.grad(loss, (eps_hat, v))
    (simple,) = torch.autograd.grad(F.mse_loss(eps_hat, eps), eps_hat)
    close(of_noise, simple, 1e-15)

    # the bound by hand, image by image, and its slope in v by a difference
    def by_hand(v: float) -> float:
        total = 0.0
        for i, at in enumerate(t.tolist()):
            beta, ab = float(SCHEDULE.beta[at]), SCHEDULE.alpha_bar
            small = float((1 - ab[at - 1]) / (1 - ab[at])) * beta
            variance = beta**v * small ** (1 - v)
            off = (eps - eps_hat)[i].detach() * beta / math.sqrt(float(1 - beta) * float(1 - ab[at]))
            kl = (small / variance - 1 - math.log(small / variance) + off.square() / variance) / 2
            total += float(kl.mean()) / 6
        return 0.01 * 100 * total

    assert float(loss.detach()) == pytest.approx(
        float(F.mse_loss(eps_hat, eps).detach()) + by_hand(0.4), rel=1e-9
    )
    slope = (by_hand(0.4 + 1e-5) - by_hand(0.4 - 1e-5)) / 2e-5
    assert float(of_variance.sum()) == pytest.approx(slope, rel=1e-6)
