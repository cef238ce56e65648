"""The probability-flow ODE: noise to data along smooth curves, with no noise drawn on the way.

Unshrunk, u = x_t / sqrt(alpha_bar_t), and with rho = 1 / sqrt(SNR) for a clock, the whole equation is
du / d rho = eps_hat. `euler_step` is DDIM with eta = 0; `heun_step` looks twice and errs less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion, Time, times
from ddpm_lib.sampling import timesteps
from ddpm_lib.schedule import NoiseSchedule

Solver = Callable[..., Float[Tensor, "b *shape"]]  # euler_step, heun_step, or one with the same arguments


def noise_clock(schedule: NoiseSchedule) -> Float64[Tensor, " T_plus_1"]:
    """rho_t = sqrt((1 - alpha_bar_t) / alpha_bar_t) = 1 / sqrt(SNR(t)): 0 at the data, growing with t."""
    ab = schedule.alpha_bar
    return ((1 - ab) / ab).sqrt()


def drift(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    xt: Float[Tensor, "b *shape"],
    t: Time,
    *,
    y: Int[Tensor, " b"] | None = None,
    clip: bool = False,
) -> Float[Tensor, "b *shape"]:
    """The velocity du / d rho at x_t: the noise that the network sees, eps_hat, whatever it predicts. Needs t >= 1.

    Book: eq-ode (DDIM, eq. 14; score SDE, eq. 13).
    """
    _, eps_hat = diffusion.denoise(denoiser, xt, t, y=y, clip=clip)
    return eps_hat


def move(
    diffusion: GaussianDiffusion,
    xt: Float[Tensor, "b *shape"],
    t: Time,
    s: Time,
    velocity: Float[Tensor, "b *shape"],
) -> Float[Tensor, "b *shape"]:
    """x_s on the straight line through x_t with that velocity: u_s = u_t + (rho_s - rho_t) velocity."""
    ab_t, ab_s = diffusion.alpha_bar(t, xt), diffusion.alpha_bar(s, xt)
    # sqrt(alpha_bar_s) (rho_s - rho_t), without dividing by an alpha_bar_t near 0 twice
    weight = (1 - ab_s).sqrt() - (ab_s / ab_t * (1 - ab_t)).sqrt()
    return times((ab_s / ab_t).sqrt(), xt) + times(weight, velocity)


def euler_step(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    xt: Float[Tensor, "b *shape"],
    t: int,
    s: int,
    *,
    y: Int[Tensor, " b"] | None = None,
    clip: bool = False,
) -> Float[Tensor, "b *shape"]:
    """From t to s along the velocity at t: one call of the network. It is `ddim_step` with eta = 0.

    Book: eq-ode (DDIM, section 4.3).
    """
    return move(diffusion, xt, t, s, drift(denoiser, diffusion, xt, t, y=y, clip=clip))


def heun_step(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    xt: Float[Tensor, "b *shape"],
    t: int,
    s: int,
    *,
    y: Int[Tensor, " b"] | None = None,
    clip: bool = False,
) -> Float[Tensor, "b *shape"]:
    """From t to s along the mean of the velocities at both ends (Karras et al. 2022, algorithm 1): two calls.

    At s = 0 there is no noise left to guess, so the last step is Euler's, one call.
    """
    velocity = drift(denoiser, diffusion, xt, t, y=y, clip=clip)
    xs = move(diffusion, xt, t, s, velocity)
    if s == 0:
        return xs
    there = drift(denoiser, diffusion, xs, s, y=y, clip=clip)
    return move(diffusion, xt, t, s, (velocity + there) / 2)


def stops(schedule: NoiseSchedule, steps: int, power: float = 7.0) -> list[int]:
    """T, ..., 0, with rho^(1 / power) falling evenly from T to the first time (Karras et al. 2022, eq. 5).

    Times are whole numbers, so where the chain is too coarse for `steps` stops there are fewer.
    """
    if not 2 <= steps <= schedule.T:
        raise ValueError(
            f"Cannot make {steps} strides in a chain of T = {schedule.T}: pass 2 to {schedule.T}."
        )
    rho = noise_clock(schedule)
    first, last = rho[1] ** (1 / power), rho[-1] ** (1 / power)
    wanted = torch.linspace(0, 1, steps, dtype=torch.float64) * (first - last) + last
    nearest = (rho[1:] - wanted[:, None] ** power).abs().argmin(dim=1) + 1
    return [*sorted(set(nearest.tolist()), reverse=True), 0]


def flow(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    xT: Float[Tensor, "b *shape"],
    *,
    y: Int[Tensor, " b"] | None = None,
    step: Solver = heun_step,
    steps: int | None = None,
    path: Sequence[int] | None = None,
    clip: bool = False,
) -> Iterator[tuple[int, Float[Tensor, "b *shape"]]]:
    """Yield (T, x_T), then (s, x_s) after every step down to s = 0: the same x_T always ends in the same x_0.

    `steps` fewer than T skips times, as in `sampling.sample`; a `path` of times, from T to 0, takes its place.
    """
    path = timesteps(diffusion.T, steps) if path is None else path
    x = xT
    yield path[0], x
    for t, s in pairwise(path):
        with torch.inference_mode():
            x = step(denoiser, diffusion, x, t, s, y=y, clip=clip)
        yield s, x
