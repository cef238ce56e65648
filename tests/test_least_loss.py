"""The least loss that any network can have: a formula for one Gaussian, the oracle's loss in the plane."""

from __future__ import annotations

import pytest
import torch

from ddpm_lib import gaussian
from ddpm_lib.evaluate.montecarlo import normals
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.models.oracle import least_loss
from tests.helpers import assert_mean, close
from tests.one_gaussian import DIFFUSION, SCHEDULE, one_gaussian


@pytest.mark.equation("eq-least-loss")
def test_the_least_loss_of_one_gaussian_is_the_formula() -> None:
    ab = SCHEDULE.alpha_bar[1:]
    for std in (0.1, 0.5, 1.0):
        found = least_loss(one_gaussian(std, 0.3), range(1, 31))
        close(found, ab * std**2 / (ab * std**2 + 1 - ab), 1e-10)


@pytest.mark.equation("eq-least-loss")
def test_the_least_loss_in_the_plane_is_what_the_oracle_loses() -> None:
    means = torch.tensor([[1.0, 0.5], [-0.7, 0.9], [0.0, -1.2]], dtype=torch.float64)
    mixture = GaussianMixture(
        means,
        torch.tensor([0.2, 0.1, 0.4], dtype=torch.float64),
        torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64),
    )
    oracle = OracleDenoiser(mixture, SCHEDULE.alpha_bar)
    normal = normals(3)
    x0 = mixture.draw(200_000, torch.Generator().manual_seed(0))
    for t, exact in zip((1, 5, 15, 30), least_loss(oracle, (1, 5, 15, 30)), strict=True):
        eps = normal(*x0.shape)
        xt = DIFFUSION.q_sample(x0, t, eps)
        error = (eps - oracle(xt, torch.full((len(x0),), t))).square().mean(1, keepdim=True)
        assert_mean(error, exact)


def test_the_least_loss_is_refused_where_the_grid_would_explode() -> None:
    mixture = GaussianMixture(torch.zeros(1, 3), torch.ones(1), torch.ones(1))
    with pytest.raises(ValueError, match="3 dimensions"):
        least_loss(OracleDenoiser(mixture, SCHEDULE.alpha_bar), [1])


def test_a_noised_mixture_has_the_density_of_its_noised_points() -> None:
    mixture = one_gaussian(0.5, 0.8).mixture
    law = mixture.noised(0.3)
    x = torch.linspace(-3, 3, 50).double()[:, None]
    close(law.log_prob(x), gaussian.log_prob(x[:, 0], 0.3**0.5 * 0.8, 0.3 * 0.25 + 0.7), 1e-12)
