"""Editing with a network that was never trained for it: start elsewhere, keep a part, walk back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from jaxtyping import Bool
from torch import Tensor

from ddpm_lib.chain import q_between
from ddpm_lib.denoiser import Denoiser, Labels, Time, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import move
from ddpm_lib.sampling import Denoise, Noise, State, Step, ddpm_step, sample_from, timesteps


def start_times(T: int, start: int, steps: int | None = None) -> list[int]:
    """start > ... > 0 in `steps` nearly equal strides; every time when `steps` is None.

    Raises ValueError for a start outside 1 ... T.
    """
    if not 1 <= start <= T:
        raise ValueError(
            f"The walk begins at t = {start}, but the chain has t = 1 ... {T}: pass one of these."
        )
    return timesteps(start, None if steps is None else min(steps, start))


def edit_from(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: X,
    start: int,
    *,
    seeds: Sequence[int],
    y: Labels | None = None,
    step: Step = ddpm_step,
    steps: int | None = None,
    known: Bool[Tensor, "..."] | None = None,
    resample: int = 1,
    clip: bool | None = None,
) -> Iterator[State]:
    """Noise x0, one image for each seed, to time `start`, and walk back from there: SDEdit (Meng et al. 2022, alg. 1).

    Book: eq-edit-start.

    With `known`, by steps of `Inpaint`, each taken `resample` times, which keep x0 where it is True.
    """
    noise = Noise(seeds, x0.shape[1:], x0.device)
    path = start_times(diffusion.T, start, steps)
    x_start = diffusion.q_sample(x0, start, noise())
    if known is not None:
        step = Inpaint(x0, known, noise, step, resample)
    yield from sample_from(denoiser, diffusion, x_start, noise=noise, y=y, step=step, steps=path, clip=clip)


@dataclass(frozen=True, eq=False)
class Inpaint:
    """A step that keeps the known entries of x0: they become a draw of q(x_s | x_0).

    Book: eq-replace (Lugmayr et al. 2022, eq. 8).

    `known` is True where x0 is to be kept. With `resample` r > 1 every step is taken
    r times: between two of them x_s is noised back to t, and the network sees known and
    unknown entries together (Lugmayr et al. 2022, algorithm 1 with a jump length of one
    step). `noise` draws what that needs, the shape of x0; r times as many network calls.
    """

    x0: X
    known: Bool[Tensor, "..."]
    noise: Callable[[], X] | None = None
    step: Step = field(default=ddpm_step)
    resample: int = 1
    reads_noise = True

    def __post_init__(self) -> None:
        if self.resample < 1 or (self.resample > 1 and self.noise is None):
            raise ValueError(
                f"resample = {self.resample} takes each step so many times and "
                "needs fresh noise between them: pass 1, "
                "or more with noise=Noise(seeds, shape)."
            )

    def __call__(
        self,
        diffusion: GaussianDiffusion,
        xt: X,
        t: Time,
        s: Time,
        x0_hat: X,
        eps_hat: X,
        z: X,
        denoise: Denoise,
    ) -> X:
        """x_s, with `resample - 1` calls of the network."""
        for left in reversed(range(self.resample)):
            guessed = self.step(diffusion, xt, t, s, x0_hat, eps_hat, z, denoise)
            # z serves both: known entries and guessed ones are never the same.
            xs = torch.where(self.known, diffusion.q_sample(self.x0, s, z), guessed)
            if left and self.noise is not None:
                xt = q_between(diffusion.schedule, xs, int(s), int(t), self.noise())
                x0_hat, eps_hat = denoise(xt, t)
                z = self.noise()
        return xs


def invert(
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    x0: X,
    *,
    y: Labels | None = None,
    steps: int | None = None,
    clip: bool = False,
) -> Iterator[State]:
    """The ODE followed from an image to its noise: Euler's steps from 0 up to T, yielding every state.

    Book: eq-invert (Song et al. 2021, section 4.3).

    The slope of a step from s to t is asked for at x_s and time t, since at time 0 there is no noise to guess. Nothing
    is clipped unless `clip` says so: what was cut off could not be found again.
    """
    x = x0
    yield State(0, x, None)
    for s, t in pairwise(reversed(timesteps(diffusion.T, steps))):
        with torch.inference_mode():
            x0_hat, eps_hat = diffusion.denoise(denoiser, x, t, y=y, clip=clip)
            x = move(diffusion, x, s, t, eps_hat)
        yield State(t, x, x0_hat)


def slerp(a: X, b: X, share: float) -> X:
    """From a (share 0) to b (share 1) on the arc between them, image by image: two normal draws stay one.

    Book: eq-slerp. Its length stays what it was, where the straight line's middle is shorter by a factor of 0.7.
    """
    dot = (a * b).flatten(1).sum(1) / (a.flatten(1).norm(dim=1) * b.flatten(1).norm(dim=1))
    angle = dot.clamp(-1, 1).acos().clamp(min=1e-6).reshape(-1, *[1] * (a.ndim - 1))
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
