"""One idea, many names: every Gaussian path is x = a x_0 + b eps, and each school names its parts differently.

A path is a pair of scales (a, b), here as functions of the noise level sigma = b / a. Two changes lead from one path to
another: the state is multiplied by a number, and the clock is read at the same sigma. The guesses x0_hat and eps_hat
are the same on all of them, so one network serves them all.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Factor, Labels, Predicts, Time, Times, X
from ddpm_lib.diffusion import GaussianDiffusion, times

Scales = Callable[[Factor], tuple[Factor, Factor]]
Field = Callable[[X, Times, Labels | None], X]


def variance_preserving(sigma: Factor) -> tuple[Factor, Factor]:
    """(a, b) with a^2 + b^2 = 1: DDPM's path, sqrt(alpha_bar) and sqrt(1 - alpha_bar)."""
    size = (1 + sigma**2).sqrt()
    return 1 / size, sigma / size


def variance_exploding(sigma: Factor) -> tuple[Factor, Factor]:
    """(a, b) = (1, sigma): the image stays and noise is piled on it, as in EDM (Karras et al. 2022)."""
    return torch.ones_like(sigma), sigma


def straight(sigma: Factor) -> tuple[Factor, Factor]:
    """(a, b) = (1 - tau, tau): flow matching's line from the image to the noise (Liu et al. 2023, eq. 1)."""
    return 1 / (1 + sigma), sigma / (1 + sigma)


def rescale(x: X, sigma: Factor, here: Scales, there: Scales) -> X:
    """The same image with the same noise on another path: x' = (a' / a) x, at equal sigma.

    Book: eq-rescale (Karras et al. 2022, section 2 and appendix B).

    sigma is a number per image, shaped to broadcast against x, or one for all.
    """
    return times(there(sigma)[0] / here(sigma)[0], x)


def sigma_at(diffusion: GaussianDiffusion, t: Time, like: X) -> Factor:
    """The noise level of time t, shaped to broadcast against `like`."""
    ab = diffusion.alpha_bar(t, like)
    return ((1 - ab) / ab).sqrt()


# -- flow matching ---------------------------------------------------------------------------------------


def velocity(x0: X, eps: X) -> X:
    """eps - x_0: how fast x_tau = (1 - tau) x_0 + tau eps moves as tau grows.

    Book: eq-velocity (Lipman et al. 2023, eq. 23, with the clock reversed; Liu et al. 2023, eq. 1).
    """
    return eps - x0


def from_velocity(x_tau: X, tau: Factor, slope: X) -> tuple[X, X]:
    """(x0_hat, eps_hat) from the state and velocity of the straight path: where the line is at tau = 0 and at 1.

    Book: eq-from-velocity.
    """
    return x_tau - times(tau, slope), x_tau + times(1 - tau, slope)


class VelocityField:
    """A denoiser read as the velocity field of the straight path: the same weights, no training."""

    def __init__(self, denoiser: Denoiser, diffusion: GaussianDiffusion, clip: bool = False) -> None:
        self.denoiser, self.diffusion, self.clip = denoiser, diffusion, clip

    def __call__(self, x_tau: X, t: Times, y: Labels | None = None) -> X:
        """dx_tau / dtau at the state x_tau, where tau = sigma_t / (1 + sigma_t). Needs t >= 1."""
        sigma = sigma_at(self.diffusion, t, x_tau)
        xt = rescale(x_tau, sigma, straight, variance_preserving)
        return velocity(*self.diffusion.denoise(self.denoiser, xt, t, y=y, clip=self.clip))


class FromVelocity:
    """A velocity field, such as a network trained by flow matching, read as a denoiser for all of the samplers."""

    def __init__(self, field: Field, diffusion: GaussianDiffusion) -> None:
        self.field, self.diffusion = field, diffusion

    @property
    def predicts(self) -> Predicts:
        """The image: where the line along the velocity ends."""
        return "x0"

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """x0_hat at x_t."""
        sigma = sigma_at(self.diffusion, t, xt)
        x_tau = rescale(xt, sigma, variance_preserving, straight)
        return from_velocity(x_tau, straight(sigma)[1], self.field(x_tau, t, y))[0]


# -- scores ----------------------------------------------------------------------------------------------


def tweedie(diffusion: GaussianDiffusion, xt: X, t: Time, score: X) -> X:
    """E[x_0 | x_t] = (x_t + (1 - alpha_bar_t) grad log q(x_t)) / sqrt(alpha_bar_t).

    Book: eq-tweedie (Efron 2011, eq. 1.4).
    """
    ab = diffusion.alpha_bar(t, xt)
    return times(1 / ab.sqrt(), xt + times(1 - ab, score))


def langevin_step(x: X, score: X, size: float | Factor, z: X) -> X:
    """x + size score + sqrt(2 size) z: for small sizes it leaves the density with that score as it is.

    Book: eq-langevin (Song and Ermon 2019, eq. 4, whose epsilon is twice the size).
    """
    size = torch.as_tensor(size, dtype=torch.float64, device=x.device)
    return x + times(size, score) + times((2 * size).sqrt(), z)


def reverse_sde_step(xt: X, score: X, beta: float | Factor, z: X, noise: float = 1.0) -> X:
    """One Euler-Maruyama step back in time by beta: the SDE for noise = 1, the probability-flow ODE for noise = 0.

    Book: eq-reverse-sde (Song et al. 2021, eq. 6 and 13; Karras et al. 2022, eq. 6).

    x + beta (x + score) / 2, and a Langevin step of size noise^2 beta / 2.
    """
    beta = torch.as_tensor(beta, dtype=torch.float64, device=xt.device)
    return langevin_step(xt + times(beta / 2, xt + score), score, noise**2 * beta / 2, z)


# -- the hierarchical VAE --------------------------------------------------------------------------------


def vae_term(diffusion: GaussianDiffusion, x0: X, x0_hat: X, t: Time, s: Time) -> Float[Tensor, " b"]:
    """KL of one layer, from s to t, in nats: (SNR(s) - SNR(t)) |x_0 - x0_hat|^2 / 2.

    Book: eq-vae-term (Kingma et al. 2021, section 4).

    Where x0_hat is the same all along, any chain of times adds up to the same total: only its ends count. Needs s >= 1.
    """
    at_t, at_s = sigma_at(diffusion, t, x0), sigma_at(diffusion, s, x0)
    weight = ((at_s**-2 - at_t**-2) / 2).reshape(-1).to(x0.dtype)
    return weight * (x0 - x0_hat).square().flatten(1).sum(1)


def straightness(
    path: Float[Tensor, "n_plus_1 b *shape"], tau: Float[Tensor, " n_plus_1"]
) -> Float[Tensor, " b"]:
    """How crooked paths are: the mean square of velocity - chord over that of the chord, (x_end - x_start) / length.

    Book: eq-straightness (after Liu et al. 2023, section 2).

    0 for a straight line at a constant speed. `tau` goes one way, up or down.
    """
    shape = (-1, *[1] * (path.ndim - 1))
    step = tau.diff().to(path.dtype)
    speed = path.diff(dim=0) / step.reshape(shape)
    chord = (path[-1] - path[0]) / step.sum()
    off = (speed - chord).square().flatten(2).sum(2)
    return (step[:, None] * off).sum(0) / step.sum() / chord.square().flatten(1).sum(1)
