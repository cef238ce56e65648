"""The probability-flow ODE: noise to data along smooth curves, with no noise drawn on the way.

Unshrunk, u = x_t / sqrt(alpha_bar_t), and with sigma = 1 / sqrt(SNR) in the place of the time, the whole equation is
du / d sigma = eps_hat. Euler's step is DDIM with eta = 0; Heun's calls the network twice and errs less.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from ddpm_lib.denoiser import Time, X
from ddpm_lib.diffusion import GaussianDiffusion, times
from ddpm_lib.sampling import Denoise
from ddpm_lib.schedule import NoiseSchedule


def noise_level(schedule: NoiseSchedule) -> Float64[Tensor, " T_plus_1"]:
    """sigma_t = sqrt((1 - alpha_bar_t) / alpha_bar_t) = 1 / sqrt(SNR(t)): 0 at the data, growing with t.

    The sigma of Karras et al. 2022: the standard deviation of the noise beside an image that is not shrunk.
    """
    ab = schedule.alpha_bar
    return ((1 - ab) / ab).sqrt()


def move(diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, slope: X) -> X:
    """x_s on the straight line through x_t with that slope: u_s = u_t + (sigma_s - sigma_t) slope."""
    ab_t, ab_s = diffusion.alpha_bar(t, xt), diffusion.alpha_bar(s, xt)
    # sqrt(alpha_bar_s) (sigma_s - sigma_t), without dividing by an alpha_bar_t near 0 twice
    weight = (1 - ab_s).sqrt() - (ab_s / ab_t * (1 - ab_t)).sqrt()
    return times((ab_s / ab_t).sqrt(), xt) + times(weight, slope)


@dataclass(frozen=True)
class Euler:
    """From t to s along the slope at t, du / d sigma = eps_hat. It is `ddim_step` with eta = 0.

    Book: eq-ode (DDIM, eq. 14 and section 4.3; score SDE, eq. 13).
    """

    reads_noise = False

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, *_: object
    ) -> X:
        """One step; x0_hat and z are not used."""
        return move(diffusion, xt, t, s, eps_hat)


@dataclass(frozen=True)
class Heun:
    """From t to s along the mean of the slopes at both ends (Karras et al. 2022, algorithm 1): two calls.

    At s = 0 there is no noise left to guess, so the last step is Euler's, one call.
    """

    reads_noise = False

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, denoise: Denoise
    ) -> X:  # fmt: skip
        """One step; x0_hat and z are not used."""
        xs = move(diffusion, xt, t, s, eps_hat)
        if s == 0:
            return xs
        _, eps_there = denoise(xs, s)
        return move(diffusion, xt, t, s, (eps_hat + eps_there) / 2)


euler_step, heun_step = Euler(), Heun()


def karras_timesteps(schedule: NoiseSchedule, steps: int, rho: float = 7.0) -> list[int]:
    """T, ..., 0, with sigma^(1 / rho) falling evenly from T to the first time (Karras et al. 2022, eq. 5).

    Times are whole numbers, so where the chain is too coarse for `steps` of them there are fewer.
    """
    if not 2 <= steps <= schedule.T:
        raise ValueError(
            f"Cannot take {steps} steps through a chain of T = {schedule.T}: pass 2 to {schedule.T}."
        )
    sigma = noise_level(schedule)
    first, last = sigma[1] ** (1 / rho), sigma[-1] ** (1 / rho)
    wanted = torch.linspace(0, 1, steps, dtype=torch.float64) * (first - last) + last
    nearest = (sigma[1:] - wanted[:, None] ** rho).abs().argmin(dim=1) + 1
    return [*sorted(set(nearest.tolist()), reverse=True), 0]
