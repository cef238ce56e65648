"""A short recording of a network, small enough to lie in a page: what it guessed, not what was made of the guesses.

DDIM with eta = 0 is arithmetic once the guesses are known, so the page takes the steps itself (`replay` in
recording.js). A guess is kept with 16 grey levels, and most of it is empty page, which is kept as runs.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.denoiser import Denoiser, Labels, Predicts, Times, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import with_guidance
from ddpm_lib.models import Network
from ddpm_lib.sampling import ddim_step, sample_from
from ddpm_lib.widgets.host.noise import noise


@dataclass(frozen=True, eq=False)
class Recording:
    """n images on their way from noise, image i from `noise(seed + i)`."""

    seed: int
    labels: tuple[int, ...]  # one an image; empty for a network without classes
    ts: list[int]  # from T down to 0
    xt: list[Float[Tensor, "n 1 h w"]]  # at each of these times
    x0_hat: list[Float[Tensor, "n 1 h w"]]  # one for each step, in 16 levels

    def packed(self) -> str:
        """The guesses in base64: a level 1 ... 15 is a nibble, a run of 1 to 16 zeros is 0 and its length less 1."""
        levels = ((torch.stack(self.x0_hat).flatten() + 1) * 7.5).round().int().tolist()
        nibbles: list[int] = []
        for level, group in groupby(levels):
            length = len(list(group))
            if level:
                nibbles += [level] * length
                continue
            for start in range(0, length, 16):
                nibbles += [0, min(16, length - start) - 1]
        nibbles += [15] * (len(nibbles) % 2)  # one level too many, which the page never reads
        halves = zip(nibbles[0::2], nibbles[1::2], strict=True)
        return base64.b64encode(bytes(high * 16 + low for high, low in halves)).decode("ascii")


class Rounded:
    """A denoiser whose x0_hat has 16 levels from -1 to 1."""

    predicts: Predicts = "x0"

    def __init__(self, denoiser: Denoiser, diffusion: GaussianDiffusion) -> None:
        self.denoiser, self.diffusion = denoiser, diffusion

    def __call__(self, xt: X, t: Times, y: Labels | None = None) -> X:
        """The network's x0_hat, rounded."""
        x0_hat, _ = self.diffusion.denoise(self.denoiser, xt, t, y=y)
        return ((x0_hat.clamp(-1, 1) + 1) * 7.5).round() / 7.5 - 1


def record(
    model: Network,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    labels: Sequence[int],
    *,
    n: int = 4,
    w: float = 0.5,
    seed: int = 5,
    steps: int = 7,
) -> Recording:
    """Run DDIM with eta = 0, each guess rounded before the step is taken. `labels` is empty or holds n classes."""
    network = with_guidance(model, w if labels else 0.0)
    device = next(model.parameters()).device
    xt = torch.cat([noise(seed + i, (1, *shape)) for i in range(n)]).float().to(device)
    y = torch.tensor(labels, device=device) if labels else None
    rounded = Rounded(network, diffusion)
    states = list(sample_from(rounded, diffusion, xt, y=y, step=ddim_step, steps=min(steps, diffusion.T)))
    guesses = [state.x0_hat.cpu() for state in states if state.x0_hat is not None]
    return Recording(
        seed, tuple(labels), [state.t for state in states], [state.xt.cpu() for state in states], guesses
    )
