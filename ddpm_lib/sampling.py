"""The reverse process: from noise to an image, one step at a time (Algorithm 2 and DDIM).

A step is a pure function of the state and one draw of noise; `sample` is the only loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion, Sigma2, Time, times


@dataclass(frozen=True)
class State:
    """One moment of the reverse process: x_t at time t, and the x0_hat it was made from.

    Shapes are (b, c, h, w). At t = T nothing was predicted yet and x0_hat is None.
    """

    t: int
    xt: Float[Tensor, "b *shape"]
    x0_hat: Float[Tensor, "b *shape"] | None


@runtime_checkable  # so that the tests can check it
class Step(Protocol):
    """One reverse step from t to s < t, given the network's x0_hat and eps_hat and fresh noise z."""

    def __call__(
        self,
        diffusion: GaussianDiffusion,
        xt: Float[Tensor, "b *shape"],
        t: Time,
        s: Time,
        x0_hat: Float[Tensor, "b *shape"],
        eps_hat: Float[Tensor, "b *shape"],
        z: Float[Tensor, "b *shape"],
    ) -> Float[Tensor, "b *shape"]: ...


def ddpm_step(
    diffusion: GaussianDiffusion,
    xt: Float[Tensor, "b *shape"],
    t: Time,
    s: Time,
    x0_hat: Float[Tensor, "b *shape"],
    eps_hat: Float[Tensor, "b *shape"],
    z: Float[Tensor, "b *shape"],
    *,
    sigma2: Sigma2 = "beta_tilde",
) -> Float[Tensor, "b *shape"]:
    """x_s ~ p_theta(x_s | x_t): Algorithm 2, line 4, for any s < t.

    Book: eq-algorithm-2 (Ho et al. 2020, Algorithm 2).

    `sigma2` is "beta_tilde" (right when the data are one point) or "beta" (right when they are N(0, I));
    see Ho et al. 2020, section 3.2.
    """
    mean, _ = diffusion.q_posterior(x0_hat, xt, t, s)
    variance = diffusion.reverse_variance(xt, t, s, sigma2)
    # The last step shows the mean, without noise: Algorithm 2, line 3, and section 3.3.
    variance = variance * (diffusion.alpha_bar(s, xt) < 1)
    return mean + variance.sqrt() * z


def ddim_step(
    diffusion: GaussianDiffusion,
    xt: Float[Tensor, "b *shape"],
    t: Time,
    s: Time,
    x0_hat: Float[Tensor, "b *shape"],
    eps_hat: Float[Tensor, "b *shape"],
    z: Float[Tensor, "b *shape"],
    *,
    eta: float = 0.0,
) -> Float[Tensor, "b *shape"]:
    """x_s = sqrt(alpha_bar_s) x0_hat + sqrt(1 - alpha_bar_s - sigma^2) eps_hat + sigma z.

    Book: eq-ddim (DDIM, eq. 12); eq-ddim-sigma (DDIM, eq. 16).

    This is eq. 12 of Song et al. 2021 (DDIM). sigma^2 is eta^2 times the posterior's variance (their
    eq. 16): eta = 0 is deterministic, eta = 1 is DDPM.
    """
    sigma2 = eta**2 * diffusion.reverse_variance(xt, t, s, "beta_tilde")
    ab = diffusion.alpha_bar(s, xt)
    return (
        times(ab.sqrt(), x0_hat) + times((1 - ab - sigma2).clamp(min=0).sqrt(), eps_hat) + sigma2.sqrt() * z
    )


def reads_noise(step: Step) -> bool:
    """Whether a step uses its z. DDIM with eta = 0 does not, and is spared the draw: half of its own time."""
    rule, how = (step.func, step.keywords) if isinstance(step, partial) else (step, {})
    return rule is not ddim_step or how.get("eta", 0.0) > 0


def timesteps(T: int, steps: int | None = None) -> list[int]:
    """T = t_0 > t_1 > ... > 0 in `steps` nearly equal strides; all of T ... 0 when `steps` is None."""
    steps = T if steps is None else steps
    if not 1 <= steps <= T:
        raise ValueError(f"Cannot take {steps} steps through a chain of T = {T}: pass 1 to {T}.")
    return [round(T * (steps - i) / steps) for i in range(steps + 1)]


class Noise:
    """Standard normal draws with one generator an image: a batch's size never changes an image.

    Drawn on the CPU, so that a seed means the same image on every device. `draws` says how many will be asked for:
    several are then drawn and sent at once, 4 MB of them, which changes no number of any.
    """

    def __init__(
        self, seeds: Sequence[int], shape: Sequence[int], device: torch.device | str = "cpu", draws: int = 1
    ) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.shape, self.device = tuple(shape), device
        self.left = draws
        self.ahead: list[Tensor] = []

    def __call__(self) -> Float[Tensor, "b *shape"]:
        """One draw of shape (len(seeds), *shape)."""
        if not self.ahead:
            together = self._together()
            draws = [torch.randn((together, *self.shape), generator=g) for g in self.generators]
            self.ahead = list(torch.stack(draws, dim=1).to(self.device).unbind())[::-1]
            self.left -= together
        return self.ahead.pop()

    def _together(self) -> int:
        """How many draws at once: torch fills 16 numbers at a time, and only then two draws are one twice as long."""
        numbers = math.prod(self.shape)
        if numbers == 0 or numbers % 16:
            return 1
        return max(1, min(self.left, 2**20 // (numbers * max(1, len(self.generators)))))


def sample(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    *,
    seeds: Sequence[int],
    y: Int[Tensor, " b"] | None = None,
    step: Step = ddpm_step,
    steps: int | None = None,
    clip: bool = True,
    device: torch.device | str = "cpu",
) -> Iterator[State]:
    """Algorithm 2: yield the state at T, then after every step down to t = 0.

    `shape` is one image's (c, h, w); there is one image for each seed. `steps` fewer than T skips times.
    Options of a step are bound first: `step=partial(ddim_step, eta=0.5)`.
    """
    if y is not None and len(y) != len(seeds):
        raise ValueError(f"There are {len(y)} labels for {len(seeds)} seeds: pass one label an image.")
    path, noisy = timesteps(diffusion.T, steps), reads_noise(step)
    noise = Noise(seeds, shape, device, draws=len(path) if noisy else 1)
    # No gradients while the network runs; what the reader's loop does between two states is its own affair.
    with torch.inference_mode():
        state = State(path[0], noise(), None)
        none = torch.zeros_like(state.xt)
    yield state
    for t, s in pairwise(path):
        with torch.inference_mode():
            x0_hat, eps_hat = diffusion.denoise(denoiser, state.xt, t, y=y, clip=clip)
            z = noise() if noisy else none
            state = State(s, step(diffusion, state.xt, t, s, x0_hat, eps_hat, z), x0_hat)
        yield state
