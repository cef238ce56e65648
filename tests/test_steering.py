"""A loss that is followed: through the network, and with one more forward pass in the place of a backward one."""

import pytest
import torch
from torch import Tensor

from ddpm_lib.evaluate.generate import last
from ddpm_lib.evaluate.steering import Steered, SteeredForward, ink_error
from ddpm_lib.sampling import DDPM, sample_from
from tests.helpers import close
from tests.test_editing import DIFFUSION, ORACLE, Draws, normal


@pytest.mark.equation("eq-steered")
def test_following_a_quadratic_loss_is_what_the_formula_says() -> None:
    c, scale, t = 0.4, 0.7, 80
    x = normal(6, 2)
    loss = lambda x0_hat: (x0_hat[:, 0] - c).square()  # noqa: E731
    got = Steered(ORACLE, DIFFUSION, loss, scale)(x, torch.full((6,), t))
    # the gradient by differences
    h = 1e-5

    def cost(at: Tensor) -> Tensor:
        return loss(DIFFUSION.denoise(ORACLE, at, t, clip=False)[0])

    slope = torch.stack([(cost(x + h * e) - cost(x - h * e)) / (2 * h) for e in torch.eye(2).double()], dim=1)
    ab = DIFFUSION.schedule.alpha_bar[t]
    expected = ORACLE(x, torch.full((6,), t)) + scale * (1 - ab).sqrt() * slope
    close(got, expected, 1e-7)


@pytest.mark.equation("eq-steered")
def test_a_loss_draws_what_it_asks_for_within_a_sampler() -> None:
    noise = Draws(500, 2)
    steered = Steered(ORACLE, DIFFUSION, lambda x: (x[:, 0] - 0.3).square() / (2 * 0.1**2), 1.0)
    x = last(sample_from(steered, DIFFUSION, noise(), noise=noise, step=DDPM(), steps=100, clip=False)).xt
    assert x[:, 0].mean() == pytest.approx(0.3, abs=0.03)
    assert float(x[:, 0].std()) < 0.15
    assert not x.requires_grad


def wish(x: Tensor) -> Tensor:
    """Curved, and of both coordinates."""
    return (x[:, 0] - 0.4).square() + 0.3 * x[:, 1].sin()


@pytest.mark.equation("eq-steered-forward")
def test_of_the_best_denoiser_one_more_forward_pass_is_the_gradient() -> None:
    x = normal(40, 2)
    for t in (20, 80, 150):
        at = torch.full((40,), t)
        plain, through = ORACLE(x, at), Steered(ORACLE, DIFFUSION, wish, 0.7)(x, at)
        errors = [
            (SteeredForward(ORACLE, DIFFUSION, wish, 0.7, shift)(x, at) - through).abs().max()
            for shift in (1e-2, 1e-3)
        ]
        assert (through - plain).abs().max() > 0.01
        assert errors[1] < 1e-3
        assert errors[1] < errors[0] / 5  # a difference: its error falls with the shift


@pytest.mark.equation("eq-steered-forward")
def test_the_jacobian_of_the_best_denoiser_is_the_covariance_of_what_it_averages() -> None:
    x, t = normal(1, 2), 80
    jacobian = torch.autograd.functional.jacobian(
        lambda at: DIFFUSION.denoise(ORACLE, at[None], t, clip=False)[0][0], x[0]
    )
    ab = DIFFUSION.schedule.alpha_bar[t]
    # x_0 given x_t is a mixture again: its covariance from 400,000 draws of x_0, weighted by q(x_t | x_0)
    draws = ORACLE.mixture.draw(400_000, torch.Generator().manual_seed(0))
    weight = (-(x - ab.sqrt() * draws).square().sum(1) / (2 * (1 - ab))).softmax(0)
    off = draws - weight @ draws
    covariance = (weight[:, None] * off).T @ off
    close(jacobian, ab.sqrt() / (1 - ab) * covariance, 0.02)
    close(jacobian, jacobian.T, 1e-12)


def test_a_wish_without_a_slope_changes_nothing() -> None:
    x, at = normal(4, 2), torch.full((4,), 50)
    flat = lambda x0: 0 * x0.sum(1)  # noqa: E731
    close(SteeredForward(ORACLE, DIFFUSION, flat, 5.0)(x, at), ORACLE(x, at), 1e-9)
    for kind in (Steered, SteeredForward):
        with pytest.raises(ValueError, match="strength of the wish is nan"):
            kind(ORACLE, DIFFUSION, wish, float("nan"))


def test_ink_is_missed_where_it_was_wished_for_alone() -> None:
    target, cares = torch.tensor([[1.0, -1.0, 1.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    pictures = torch.tensor([[1.0, -1, -1], [-1, 1, 1], [-1, -1, 0], [0, 0, 0]]).reshape(4, 1, 1, 3)
    close(ink_error(pictures, target, cares), torch.tensor([0, 1, 0.5, 0.25]), 1e-6)
    with pytest.raises(ValueError, match="no pixel at all"):
        ink_error(pictures, target, 0 * cares)
