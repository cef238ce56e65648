"""The reverse process: from noise to an image, one step at a time.

A step says how to go from t to s < t, and `sample_from` is the loop for all of them: DDPM and DDIM here, the
solvers of the ODE in `flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Labels, Time, X
from ddpm_lib.diffusion import GaussianDiffusion, Sigma2, times
from ddpm_lib.seeds import check_labels, checked_seeds, checked_shape

# (x_t, t) -> (x0_hat, eps_hat): the network, with its labels and clipping
Denoise = Callable[[Tensor, Time], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class State:
    """x_t at time t, and the x0_hat that it was made from: None at the start, where nothing was predicted yet."""

    t: int
    xt: X
    x0_hat: X | None


@runtime_checkable  # so that the tests can check it
class Step(Protocol):
    """One reverse step from t to s < t: x_s from x_t, the network's x0_hat and eps_hat there, and fresh noise z.

    A step that needs the network elsewhere, too, calls `denoise`. One that ignores z says `reads_noise = False` and
    is spared the draw.
    """

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, denoise: Denoise, /
    ) -> X: ...  # fmt: skip


@dataclass(frozen=True)
class DDPM:
    """x_s ~ p_theta(x_s | x_t): Algorithm 2, line 4, for any s < t.

    Book: eq-algorithm-2 (Ho et al. 2020, Algorithm 2).

    `sigma2` is "beta_tilde" (right when the data are one point) or "beta" (right when they are N(0, I));
    see Ho et al. 2020, section 3.2.
    """

    sigma2: Sigma2 = "beta_tilde"
    reads_noise = True

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, *_: object
    ) -> X:
        """One step; eps_hat is not used."""
        mean = diffusion.q_posterior(x0_hat, xt, t, s)[0]
        variance = diffusion.reverse_variance(xt, t, s, self.sigma2)
        # The last step shows the mean, without noise: Algorithm 2, line 3, and section 3.3.
        variance = variance * (diffusion.alpha_bar(s, xt) < 1)
        return mean + variance.sqrt() * z


@dataclass(frozen=True)
class DDIM:
    """x_s = sqrt(alpha_bar_s) x0_hat + sqrt(1 - alpha_bar_s - sigma^2) eps_hat + sigma z.

    Book: eq-ddim (DDIM, eq. 12); eq-ddim-sigma (DDIM, eq. 16).

    sigma^2 is eta^2 times the posterior's variance (Song et al. 2021): eta = 0 is deterministic, eta = 1 is DDPM.
    """

    eta: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.eta <= 1:
            raise ValueError(
                f"eta is {self.eta}, but it is a share of DDPM's noise: pass a number from 0 to 1."
            )

    @property
    def reads_noise(self) -> bool:
        """Whether sigma is above 0."""
        return self.eta > 0

    def __call__(
        self, diffusion: GaussianDiffusion, xt: X, t: Time, s: Time, x0_hat: X, eps_hat: X, z: X, *_: object
    ) -> X:
        """One step."""
        sigma2 = self.eta**2 * diffusion.reverse_variance(xt, t, s, "beta_tilde")
        ab = diffusion.alpha_bar(s, xt)
        fresh = sigma2.sqrt() * z
        return times(ab.sqrt(), x0_hat) + times((1 - ab - sigma2).clamp(min=0).sqrt(), eps_hat) + fresh


ddpm_step, ddim_step = DDPM(), DDIM()


def timesteps(T: int, steps: int | None = None) -> list[int]:
    """T = t_0 > t_1 > ... > 0 in `steps` nearly equal strides; all of T ... 0 when `steps` is None."""
    steps = T if steps is None else steps
    if not hasattr(steps, "__index__"):
        raise ValueError(
            f"Cannot take {steps!r:.40} steps: pass a whole number, or a list of times from T to 0."
        )
    if not 1 <= steps <= T:
        raise ValueError(f"Cannot take {steps} steps through a chain of T = {T}: pass 1 to {T}.")
    return [round(T * (steps - i) / steps) for i in range(steps + 1)]


class Noise:
    """Standard normal draws with one generator per image: the size of a batch never changes an image.

    Drawn on the CPU, so that a seed means the same image on every device.
    """

    def __init__(
        self, seeds: Sequence[int], shape: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self.shape, self.device = checked_shape(shape), device
        self.generators = [torch.Generator().manual_seed(seed) for seed in checked_seeds(seeds)]

    def __call__(self) -> X:
        """One draw of shape (len(seeds), *shape)."""
        return torch.stack([torch.randn(self.shape, generator=g) for g in self.generators]).to(self.device)


def sample(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    *,
    seeds: Sequence[int],
    y: Labels | None = None,
    step: Step = ddpm_step,
    steps: int | Sequence[int] | None = None,
    clip: bool | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[State]:
    """`sample_from` noise: one image of `shape` (c, h, w) for each seed, all of its noise drawn from that seed.

    `clip` is that of `GaussianDiffusion.denoise`: None clips images, and leaves points as they are.
    """
    noise = Noise(seeds, shape, device)
    check_labels(y, len(noise.generators))
    with torch.inference_mode():
        xT = noise()
    yield from sample_from(denoiser, diffusion, xT, noise=noise, y=y, step=step, steps=steps, clip=clip)


def sample_from(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    xT: X,
    *,
    noise: Callable[[], Tensor] | None = None,
    y: Labels | None = None,
    step: Step = ddim_step,
    steps: int | Sequence[int] | None = None,
    clip: bool | None = None,
) -> Iterator[State]:
    """Algorithm 2 with any step: yield the state at T, then after every step down to t = 0.

    `steps` fewer than T skips times; a list of times, from T down to 0, is followed as it is. `noise` draws z.
    """
    path = steps if isinstance(steps, Sequence) else timesteps(diffusion.T, steps)
    reads_noise = getattr(step, "reads_noise", True)
    if reads_noise and noise is None:
        raise ValueError(
            "This step adds fresh noise, but there is none: pass noise=Noise(seeds, shape), or a step without, "
            "such as ddim_step."
        )

    def denoise(x: Tensor, t: Time) -> tuple[Tensor, Tensor]:
        return diffusion.denoise(denoiser, x, t, y=y, clip=clip)

    x, unread = xT, torch.zeros_like(xT)
    yield State(path[0], x, None)
    for t, s in pairwise(path):
        # No gradients while the network runs; between two states, the caller's loop is not in this mode.
        with torch.inference_mode():
            x0_hat, eps_hat = denoise(x, t)
            z = noise() if reads_noise and noise is not None else unread
            x = step(diffusion, x, t, s, x0_hat, eps_hat, z, denoise)
        yield State(s, x, x0_hat)
