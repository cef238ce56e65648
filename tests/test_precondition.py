"""What a network answers: one family of three numbers, and which squared error goes with each."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import noise_level
from ddpm_lib.further.names import sigma_at
from ddpm_lib.further.precondition import (
    Answer,
    Preconditioned,
    edm_scales,
    own_target,
    own_weight,
    scales,
)
from ddpm_lib.loss import simple_loss, weighted_loss
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import ddim_step, sample_from
from ddpm_lib.schedule import cosine_schedule
from tests.helpers import assert_mean, close, generator, normal, unchecked

SCHEDULE = cosine_schedule(500)
DIFFUSION = GaussianDiffusion(SCHEDULE)
ANSWERS: tuple[Answer, ...] = ("eps", "x0", "v", "edm")
SIGMAS = (0.01, 0.3, 1.0, 7.0, 100.0)
DATA = 0.6  # sigma_data


def level(sigma: float) -> Tensor:
    return torch.tensor(sigma, dtype=torch.float64)


@pytest.mark.equation("eq-family")
@pytest.mark.parametrize("sigma", SIGMAS)
def test_eps_x0_and_v_are_of_the_family(sigma: float) -> None:
    """With the right answer put in for F, the three numbers give back x_0; at any error, what the names mean."""
    x0, eps = normal(6, 3), normal(6, 3, seed=1)
    u = x0 + sigma * eps
    a, s = 1 / math.sqrt(1 + sigma**2), sigma / math.sqrt(1 + sigma**2)
    right = {"eps": eps, "x0": x0, "v": a * eps - s * x0}
    for answer, output in right.items():
        c_skip, c_out, c_in = scales(level(sigma), answer)  # type: ignore[arg-type]
        close(c_skip * u + c_out * output, x0, 1e-9 * (1 + sigma))
        close(c_in * u, a * x0 + s * eps, 1e-12)


@pytest.mark.equation("eq-own-target")
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_target_is_what_makes_the_guess_right(answer: Answer) -> None:
    x0, eps = normal(6, 3), normal(6, 3, seed=1)
    for sigma in map(level, SIGMAS):
        c_skip, c_out, _ = scales(sigma, answer, DATA)
        target = own_target(x0, eps, sigma, answer, DATA)
        close(c_skip * (x0 + sigma * eps) + c_out * target, x0, 1e-9)
    if answer != "edm":
        for t in (1, 90, 400):
            sigma = noise_level(SCHEDULE)[t]
            close(own_target(x0, eps, sigma, answer), DIFFUSION.target(x0, t, eps, answer), 1e-9)


@pytest.mark.equation("eq-edm-scales")
@pytest.mark.parametrize("sigma", SIGMAS)
def test_edm_has_unit_variances_and_the_smallest_c_out(sigma: float) -> None:
    c_skip, c_out, c_in = (float(each) for each in edm_scales(level(sigma), DATA))

    def variance(skip: float) -> float:
        """Of x_0 - skip u, for independent x_0 and eps: what c_out F has to make up for."""
        return (1 - skip) ** 2 * DATA**2 + skip**2 * sigma**2

    assert c_in**2 * (DATA**2 + sigma**2) == pytest.approx(1, rel=1e-12)
    assert variance(c_skip) / c_out**2 == pytest.approx(1, rel=1e-12)
    for other in (-0.2, -0.01, 0.01, 0.2):
        assert variance(c_skip + other) > variance(c_skip)


def test_v_is_edm_at_unit_variance_but_for_the_sign() -> None:
    sigma = torch.tensor(SIGMAS, dtype=torch.float64)
    for ours, edm, sign in zip(scales(sigma, "v"), edm_scales(sigma, 1.0), (1, -1, 1), strict=True):
        assert torch.equal(ours, sign * edm)


def test_of_gaussian_data_edm_leaves_nothing_to_learn() -> None:
    """c_skip u is E[x_0 | u] where x_0 is Gaussian with the variance sigma_data^2, so F is right at 0."""
    point = GaussianMixture(
        torch.zeros(1, 2).double(), torch.tensor([DATA], dtype=torch.float64), torch.ones(1).double()
    )
    oracle = OracleDenoiser(point, SCHEDULE.alpha_bar)
    silent = Preconditioned(lambda x, t, y: torch.zeros_like(x), DIFFUSION, "edm", DATA)
    for t in (1, 90, 400):
        xt, each = normal(9, 2), torch.full((9,), t)
        close(silent(xt, each), DIFFUSION.predict_x0(xt, t, oracle(xt, each)), 1e-9)


class Affine:
    """A network with a known output, which sees the input that it is given."""

    def __init__(self, predicts: Answer) -> None:
        self.predicts = predicts

    def __call__(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return 0.3 * x + 0.001 * t.to(x)[:, None]


@pytest.mark.equation("eq-precondition")
@pytest.mark.parametrize("answer", ["eps", "x0", "v"])
def test_a_preconditioned_network_is_the_denoiser_that_it_was(answer: Answer) -> None:
    bare = Affine(answer)
    whole = Preconditioned(bare, DIFFUSION, answer)
    for t in (1, 40, 250, 450):
        xt, each = normal(5, 3), torch.full((5,), t)
        x0_hat, _ = DIFFUSION.denoise(bare, xt, t)  # type: ignore[arg-type]
        close(whole(xt, each), x0_hat, 1e-9 * (1 + float(noise_level(SCHEDULE)[t])))


def test_the_input_of_edm_is_scaled_to_unit_variance() -> None:
    seen = []

    def look(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
        seen.append(x)
        return x

    for t in (5, 250, 480):
        xt = DIFFUSION.q_sample(DATA * normal(20_000, 1), t, normal(20_000, 1, seed=1))
        Preconditioned(look, DIFFUSION, "edm", DATA)(xt, torch.full((20_000,), t))
        assert_mean(seen[-1].square(), 1.0)


@pytest.mark.equation("eq-own-weight", "eq-weighted-loss")
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_plain_error_of_an_answer_is_a_weighted_error_of_the_image(answer: Answer) -> None:
    """One batch, one network: |F - target|^2 is |x0_hat - x_0|^2 times the table's entry, value and gradient."""
    x0, eps, t = normal(6, 3), normal(6, 3, seed=1), torch.tensor([1, 7, 90, 250, 400, 480])
    slope = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)

    def net(x: Tensor, at: Tensor, y: Tensor | None = None) -> Tensor:
        return slope * x + 0.001 * at.to(x)[:, None]

    whole = Preconditioned(net, DIFFUSION, answer, DATA)
    sigma = sigma_at(DIFFUSION, t, x0)
    c_in = scales(sigma, answer, DATA)[2]
    plain = (net(c_in * (x0 + sigma * eps), t) - own_target(x0, eps, sigma, answer, DATA)).square().mean()
    ours = weighted_loss(whole, DIFFUSION, x0, t, eps, own_weight(SCHEDULE, answer, DATA))
    assert float(ours.detach()) == pytest.approx(float(plain.detach()), rel=1e-9)
    ours_slope, plain_slope = (float(torch.autograd.grad(loss, slope)[0]) for loss in (ours, plain))
    assert ours_slope == pytest.approx(plain_slope, rel=1e-9)


def test_own_weights_are_snr_one_and_their_sums() -> None:
    snr = SCHEDULE.snr[1:]
    wanted = {"eps": snr, "x0": torch.ones_like(snr), "v": snr + 1, "edm": snr + 1 / DATA**2}
    for answer, weight in wanted.items():
        ours = own_weight(SCHEDULE, answer, DATA)[1:]  # type: ignore[arg-type]
        assert torch.allclose(ours, weight, rtol=1e-9)


@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_a_loss_of_equal_weights_is_l_simple(predicts: Answer) -> None:
    x0, eps, t = normal(4, 3), normal(4, 3, seed=1), torch.tensor([1, 90, 250, 400])
    same = weighted_loss(Affine(predicts), DIFFUSION, x0, t, eps, torch.ones(501))  # type: ignore[arg-type]
    simple = simple_loss(Affine(predicts), DIFFUSION, x0, t, eps)  # type: ignore[arg-type]
    assert float(same) == pytest.approx(float(simple), rel=1e-12)


def test_the_oracle_draws_alike_whatever_it_is_asked_for() -> None:
    """As a bare network that answers v or EDM's target, the oracle gives the same curves."""
    mixture = GaussianMixture(
        torch.tensor([[-1.0], [0.8]]).double(), torch.tensor([0.15, 0.25]).double(), torch.tensor([0.4, 0.6]).double()
    )  # fmt: skip
    oracle = OracleDenoiser(mixture, SCHEDULE.alpha_bar)
    start = torch.randn(50, 1, generator=generator(0), dtype=torch.float64)

    def end(denoiser: object) -> Tensor:
        how = {"step": ddim_step, "steps": 20, "clip": False}
        return [state.xt for state in sample_from(denoiser, DIFFUSION, start, **how)][-1]  # type: ignore[arg-type]

    def bare(answer: Answer) -> Preconditioned:
        def net(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
            sigma = sigma_at(DIFFUSION, t, x)
            u = x / scales(sigma, answer, DATA)[2]
            xt = u / (1 + sigma**2).sqrt()
            eps = oracle(xt, t)
            return own_target(u - sigma * eps, eps, sigma, answer, DATA)

        return Preconditioned(net, DIFFUSION, answer, DATA)

    for answer in ANSWERS:
        close(end(bare(answer)), end(oracle), 1e-6)


def test_an_unknown_answer_is_refused() -> None:
    with unchecked(), pytest.raises(ValueError, match="'eps', 'x0', 'v' or 'edm', not 'score'"):
        scales(level(1.0), "score")  # type: ignore[arg-type]
