"""A whole path of the chain: the joint density of its states, and the marginal law of each."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from ddpm_lib import gaussian
from ddpm_lib.chain import path_covariance, path_log_prob, q_marginal, walk
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule
from tests.helpers import close
from tests.short_chain import SHORT, X0


@pytest.mark.equation("eq-joint", "eq-covariance")
@pytest.mark.parametrize("seed", range(4))
def test_the_product_of_steps_is_the_multivariate_normal_of_the_path(seed: int) -> None:
    path = torch.stack(list(walk(SHORT, X0, normals(seed))))
    covariance = path_covariance(SHORT)[1:, 1:]
    for i, start in enumerate(X0):
        mean = start * SHORT.alpha_bar[1:].sqrt()
        whole = MultivariateNormal(mean, covariance).log_prob(path[1:, i])
        assert abs(float(path_log_prob(SHORT, path)[i] - whole)) < 1e-9


@pytest.mark.equation("eq-joint")
def test_the_density_of_a_path_integrates_to_the_marginals() -> None:
    # Two steps on a grid: summing x_1 out leaves the closed form's q(x_2 | x_0).
    schedule = NoiseSchedule(torch.tensor([0.0, 0.3, 0.2]).double())
    x = torch.linspace(-9, 9, 1201, dtype=torch.float64)
    x1, x2 = torch.meshgrid(x, x[::60], indexing="ij")
    joint = path_log_prob(schedule, torch.stack([torch.full_like(x1, 0.8), x1, x2])).exp()
    ab = schedule.alpha_bar[2]
    close(
        torch.trapezoid(joint, x, dim=0),
        Normal(0.8 * ab.sqrt(), (1 - ab).sqrt()).log_prob(x[::60]).exp(),
        1e-9,
    )


def test_the_density_of_a_path_of_images_keeps_their_shape() -> None:
    images = torch.stack(list(walk(SHORT, torch.rand(2, 1, 3, 3), normals(seed=0))))
    log_prob = path_log_prob(SHORT, images)
    assert log_prob.shape == (2, 1, 3, 3)
    assert log_prob.dtype == torch.float32
    one = path_log_prob(SHORT, images[:, 1, 0, 2, 2])
    close(log_prob[1, 0, 2, 2], one, 1e-6)


def test_half_a_path_is_refused() -> None:
    with pytest.raises(ValueError, match=r"The path has 4 points, but x_0 \.\.\. x_T are 7"):
        path_log_prob(SHORT, torch.zeros(4, 2).double())


@pytest.mark.equation("eq-covariance")
def test_the_covariance_has_the_variances_on_its_diagonal_and_is_symmetric() -> None:
    schedule = cosine_schedule(50)
    covariance = path_covariance(schedule)
    close(covariance.diag(), 1 - schedule.alpha_bar, 1e-15)
    assert torch.equal(covariance, covariance.T)
    assert bool((covariance[0] == 0).all())  # x_0 is given
    s, t = 10, 30
    correlation = covariance[s, t] / (covariance[s, s] * covariance[t, t]).sqrt()
    assert float(correlation) == pytest.approx(float((schedule.snr[t] / schedule.snr[s]).sqrt()), rel=1e-12)


GRID = torch.linspace(-8, 8, 1601, dtype=torch.float64)


def bell(mean: float, variance: float) -> torch.Tensor:
    return gaussian.log_prob(GRID, mean, variance).exp()


@pytest.mark.equation("eq-marginal")
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
def test_the_marginal_of_a_mixture_is_the_mixture_of_its_parts_moved(kept: float) -> None:
    before = 0.3 * bell(-1.0, 0.04) + 0.7 * bell(0.5, 0.25)
    parts = [(0.3, -1.0, 0.04), (0.7, 0.5, 0.25)]
    after = sum(w * bell(math.sqrt(kept) * m, kept * v + 1 - kept) for w, m, v in parts)
    close(q_marginal(GRID, before, kept), torch.as_tensor(after), 1e-10)


@pytest.mark.equation("eq-marginal")
def test_two_marginals_in_a_row_are_one() -> None:
    ab = SHORT.alpha_bar
    p = 0.3 * bell(-1.0, 0.04) + 0.7 * bell(0.5, 0.25)
    twice = q_marginal(GRID, q_marginal(GRID, p, ab[2]), ab[5] / ab[2])
    close(twice, q_marginal(GRID, p, ab[5]), 1e-9)


@pytest.mark.equation("eq-stationary")
@pytest.mark.parametrize("beta", [0.01, 0.3, 0.9, 0.999])
def test_the_standard_gaussian_goes_through_a_step_unchanged_and_no_other_does(beta: float) -> None:
    close(q_marginal(GRID, bell(0.0, 1.0), 1 - beta), bell(0.0, 1.0), 1e-10)
    for mean, variance in ((0.2, 1.0), (0.0, 0.8), (0.0, 1.2)):
        before = bell(mean, variance)
        assert float((q_marginal(GRID, before, 1 - beta) - before).abs().max()) > 1e-4
