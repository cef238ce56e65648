"""Images drawn by all processes of a command together: each takes its part of the seeds, and everyone gets all."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from ddpm_lib.data.memory import check_memory
from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import generate
from ddpm_lib.sampling import Step
from ddpm_lib.train.machine.processes import Processes


def draw(
    processes: Processes,
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    seeds: Sequence[int],
    y: Int[Tensor, " n"] | None,
    step: Step,
    steps: int | None,
    batch: int = 64,
) -> Float[Tensor, "n c h w"]:
    """An image for each seed, in the order of the seeds, with a bar of this process's part.

    An image depends on its seed alone, so how many processes there are changes nothing.
    """
    own = processes.part(len(seeds))
    images = generate(
        denoiser, diffusion, shape, seeds[own], y=None if y is None else y[own],
        step=step, steps=steps, batch=batch, device=processes.device,
    )  # fmt: skip
    parts = [torch.zeros(0, *shape)]  # there may be more processes than images
    with tqdm(total=len(seeds[own]), unit="image", disable=not processes.is_main) as bar:
        for part in images:
            parts.append(part)
            bar.update(len(part))
    return processes.gather(torch.cat(parts))


def check_count(n: int, shape: Sequence[int]) -> None:
    """Raise DataError where n images of this shape cannot fit into memory, as floats and as a page."""
    check_memory(8 * n * prod(shape), f"{n:,} images", "draw fewer at a time, with other seeds")
