"""A short recording of a network, small enough to lie in a page: what it guessed, not what was made of the guesses.

DDIM with eta = 0 is arithmetic once the guesses are known, so the page takes the steps itself (`replay` in
generate_parts.js). A guess is kept with 16 grey levels, and most of it is empty page, which is kept as runs.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import with_guidance
from ddpm_lib.models import Network
from ddpm_lib.sampling import ddim_step, timesteps
from ddpm_lib.widgets.noise import noise


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


def record(
    model: Network,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    labels: Sequence[int],
    *,
    n: int = 4,
    w: float = 0.5,
    seed: int = 0,
    steps: int = 12,
) -> Recording:
    """Run DDIM with eta = 0, each guess rounded before the step is taken. `labels` is empty or holds n classes."""
    network = with_guidance(model, w if labels else 0.0)
    device = next(model.parameters()).device
    xt = torch.cat([noise(seed + i, (1, *shape)) for i in range(n)]).float().to(device)
    y = torch.tensor(labels, device=device) if labels else None
    ts, states, guesses = timesteps(diffusion.T, min(steps, diffusion.T)), [xt.cpu()], []
    with torch.inference_mode():
        for t, s in pairwise(ts):
            guess, _ = diffusion.denoise(network, xt, t, y=y)
            x0_hat = ((guess.clamp(-1, 1) + 1) * 7.5).round() / 7.5 - 1
            eps_hat = diffusion.predict_eps(xt, t, x0_hat)
            xt = ddim_step(diffusion, xt, t, s, x0_hat, eps_hat, torch.zeros_like(xt))
            guesses.append(x0_hat.cpu())
            states.append(xt.cpu())
    return Recording(seed, tuple(labels), ts, states, guesses)
