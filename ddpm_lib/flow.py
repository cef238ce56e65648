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
from ddpm_lib.sampling import Denoise, ddim_step
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


class DPMSolver2M:
    """DPM-Solver++(2M), one call a step: x0_hat is extrapolated from the last two.

    Book: eq-dpm-solver (Lu et al. 2022, algorithm 2).

    With lambda = -log sigma, its step is `ddim_step` with x0_hat + (x0_hat - the last one) / (2 r) in the place of
    x0_hat, where r is the last stride in lambda over this one. The first step and the one to s = 0 are DDIM's.
    It remembers the last step; a walk that begins elsewhere begins anew.
    """

    reads_noise = False

    def __init__(self) -> None:
        self.last: tuple[Time, Time, X] | None = None

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, *_: object
    ) -> X:
        """One step; z is not used."""
        before, self.last = self.last, (t, s, x0_hat)
        if before is None or s == 0 or before[1] != t or before[2].shape != x0_hat.shape:
            return ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, z)
        lam = [-noise_level(diffusion.schedule)[at].log() for at in (before[0], t, s)]
        r = (lam[1] - lam[0]) / (lam[2] - lam[1])
        ahead = x0_hat + times(1 / (2 * r), x0_hat - before[2])
        return ddim_step(diffusion, xt, t, s, ahead, diffusion.predict_eps(xt, t, ahead), z)


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
    return _nearest(sigma, wanted**rho)


def straight_timesteps(schedule: NoiseSchedule, steps: int) -> list[int]:
    """T, ..., 0, with tau = sigma / (1 + sigma) falling evenly from T to 0: equal steps on flow matching's clock.

    Times are whole numbers, so where the chain is too coarse for `steps` of them there are fewer.
    """
    if not 1 <= steps <= schedule.T:
        raise ValueError(
            f"Cannot take {steps} steps through a chain of T = {schedule.T}: pass 1 to {schedule.T}."
        )
    sigma = noise_level(schedule)
    tau = sigma / (1 + sigma)
    return _nearest(tau, tau[-1] * torch.arange(steps, 0, -1) / steps)


def _nearest(table: Float64[Tensor, " T_plus_1"], wanted: Float64[Tensor, " n"]) -> list[int]:
    """The times from 1 whose entries are nearest to the wanted ones, latest first, each once, and 0 at the end."""
    nearest = (table[1:] - wanted[:, None]).abs().argmin(dim=1) + 1
    return [*sorted(set(nearest.tolist()), reverse=True), 0]
