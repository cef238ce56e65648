"""The bound: exact where it is known exactly, its two forms against each other, its pieces against scipy."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from scipy import stats
from torch import Tensor

from ddpm_lib import bound, gaussian
from ddpm_lib.chain import walk
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.helpers import assert_mean, close, unchecked
from tests.one_gaussian import DIFFUSION, SCHEDULE, one_gaussian


def paths(x0: Tensor, seed: int = 0) -> Tensor:
    return torch.stack(list(walk(SCHEDULE, x0, normals(seed))))


@cache
def exact_law(std: float) -> tuple[float, float]:
    """Mean and variance of p_theta(x_0) when the pupil is `one_gaussian(std)`: every step is linear."""
    mean, variance = 0.0, 1.0
    for t in range(SCHEDULE.T, 0, -1):
        at_0, var = DIFFUSION.p_mean_variance(
            one_gaussian(std), torch.zeros(1, 1).double(), t, t - 1, clip=False, sigma2="beta"
        )
        at_1, _ = DIFFUSION.p_mean_variance(
            one_gaussian(std), torch.ones(1, 1).double(), t, t - 1, clip=False, sigma2="beta"
        )
        slope = float(at_1 - at_0)
        mean, variance = float(at_0) + slope * mean, slope**2 * variance + float(var)
    return mean, variance


@pytest.mark.equation("eq-bound")
def test_where_the_reverse_process_is_exact_every_path_gives_the_likelihood() -> None:
    # Data N(0, 1): the reverse steps are exactly Gaussian with variance beta, and p_theta(x_0:T) = q(x_0:T).
    x0 = torch.tensor([[0.0], [0.7], [-2.0]], dtype=torch.float64)
    for seed in range(3):
        found = bound.path_bound(one_gaussian(1.0), DIFFUSION, paths(x0, seed))
        close(found, -gaussian.log_prob(x0, 0.0, 1.0)[:, 0], 1e-9)


@pytest.mark.equation("eq-bound")
@pytest.mark.parametrize("std", [0.3, 0.6, 2.0])
def test_the_bound_is_above_the_exact_negative_log_likelihood(std: float) -> None:
    x0 = torch.full((20_000, 1), 0.4, dtype=torch.float64)
    found = bound.path_bound(one_gaussian(std), DIFFUSION, paths(x0))
    exact = -float(gaussian.log_prob(x0[:1], *exact_law(std)))
    assert float(found.mean()) - exact > 5 * float(found.std()) / math.sqrt(len(found))
    # and the density ratio averages to the likelihood itself, which is what Jensen starts from
    assert_mean((-found).exp()[:, None], math.exp(-exact))


@pytest.mark.equation("eq-bound-split", "eq-prior-term")
@pytest.mark.parametrize("sigma2", ["beta", "beta_tilde"])
def test_the_terms_add_up_to_the_bound_of_whole_paths(sigma2: bound.Sigma2) -> None:
    denoiser, x0 = one_gaussian(0.5, 0.2), torch.full((40_000, 1), 0.9, dtype=torch.float64)
    whole = bound.path_bound(denoiser, DIFFUSION, paths(x0), sigma2=sigma2)
    each = bound.terms(denoiser, DIFFUSION, x0, normals(1), sigma2=sigma2, clip=False, levels=False)
    assert each.shape == (SCHEDULE.T + 1, len(x0))
    error = math.sqrt((float(whole.var()) + float(each.sum(0).var())) / len(x0))
    assert abs(float(whole.mean() - each.sum(0).mean())) < 4 * error
    mean, variance = DIFFUSION.q_mean_variance(x0[:1], SCHEDULE.T)
    close(each[-1, :1], gaussian.kl(mean, variance, 0 * mean, 1 + 0 * variance)[0], 1e-12)


@pytest.mark.equation("eq-bound-split")
def test_a_term_is_the_integral_of_the_two_densities() -> None:
    denoiser, x0, eps = (
        one_gaussian(0.5),
        torch.tensor([[0.6]], dtype=torch.float64),
        torch.tensor([[-0.8]], dtype=torch.float64),
    )
    grid = torch.linspace(-8, 8, 40_001).double()
    for t in (2, 10, 30):
        xt = DIFFUSION.q_sample(x0, t, eps)
        log_q = gaussian.log_prob(grid, *map(float, DIFFUSION.q_posterior(x0, xt, t, t - 1)))
        log_p = gaussian.log_prob(
            grid, *map(float, DIFFUSION.p_mean_variance(denoiser, xt, t, t - 1, clip=False, sigma2="beta"))
        )
        found = bound.step_term(denoiser, DIFFUSION, x0, t, eps, sigma2="beta", clip=False)
        assert float(found) == pytest.approx(
            float(torch.trapezoid(log_q.exp() * (log_q - log_p), grid)), rel=1e-6
        )


@pytest.mark.equation("eq-weight")
@pytest.mark.parametrize("schedule", [linear_schedule(300), cosine_schedule(100)])
def test_a_term_is_the_weighted_squared_error_of_the_noise(schedule) -> None:  # type: ignore[no-untyped-def]
    diffusion, normal = GaussianDiffusion(schedule), normals(2)
    x0, eps, error = normal(4, 3), normal(4, 3), 0.1 * normal(4, 3)

    class Off:
        predicts = "eps"

        def __call__(self, xt: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
            return eps + error

    ab = schedule.alpha_bar
    for sigma2 in ("beta_tilde", "beta"):
        weight = bound.error_weight(schedule, sigma2)
        for t in (2, 3, 50, schedule.T):
            term = bound.step_term(Off(), diffusion, x0, t, eps, sigma2=sigma2, clip=False)
            ratio = (1 - ab[t - 1]) / (1 - ab[t]) if sigma2 == "beta" else torch.ones(1).double()
            constant = 3 * (ratio - 1 - ratio.log()) / 2  # of the variances: nothing is learned there
            close(term, weight[t] * error.square().sum(1) + constant, 1e-9 * float(term.max() + 1))
    snr = schedule.snr
    expected = (snr[1:-1] - snr[2:]) / (2 * snr[2:])
    assert torch.allclose(bound.error_weight(schedule)[2:], expected, rtol=1e-7)
    assert bound.error_weight(schedule)[:2].isnan().all()
    assert bound.error_weight(schedule, "beta")[:2].isnan().tolist() == [True, False]
    with unchecked(), pytest.raises(ValueError, match="'beta_tilde' or 'beta'"):
        bound.error_weight(schedule, "learned")  # type: ignore[arg-type]


LEVELS = torch.arange(256, dtype=torch.float64) / 127.5 - 1


@pytest.mark.equation("eq-level")
@pytest.mark.parametrize("mean", [-3.0, -1.0, -0.2, 0.0031, 1.0, 40.0])
@pytest.mark.parametrize("variance", [1e-5, 1e-2, 1.0])
def test_the_grey_levels_share_the_whole_of_the_probability(mean: float, variance: float) -> None:
    found = bound.level_log_prob(LEVELS, torch.full((256,), mean, dtype=torch.float64), variance)
    assert float(found.exp().sum()) == pytest.approx(1, abs=1e-12)
    assert bool(found.isfinite().all())
    # against scipy's areas, where it still has digits
    edges = torch.cat([torch.tensor([-math.inf]), (LEVELS[1:] + LEVELS[:-1]) / 2, torch.tensor([math.inf])])
    area = torch.from_numpy(stats.norm(mean, math.sqrt(variance)).cdf(edges.numpy())).diff()
    close(found.exp(), area, 1e-12)


@pytest.mark.equation("eq-level")
def test_the_tails_keep_their_digits_in_float32() -> None:
    mean = torch.tensor([0.9, -0.9, 0.9])
    x0 = torch.tensor([-1.0, 1.0, -0.5019608])
    single = bound.level_log_prob(x0, mean, 1e-3)
    double = bound.level_log_prob(x0.double(), mean.double(), 1e-3)
    assert torch.allclose(single.double(), double, rtol=1e-3)
    assert bool((double < -500).all())


@pytest.mark.equation("eq-bits")
def test_bits_per_dimension_of_know_nothing_are_eight() -> None:
    # 256 levels, each as likely: 8 bits an entry, whatever the image's size.
    nats = torch.full((5,), 784 * math.log(256), dtype=torch.float64)
    close(bound.bits_per_dim(nats, 784), torch.full((5,), 8.0, dtype=torch.float64), 1e-12)
