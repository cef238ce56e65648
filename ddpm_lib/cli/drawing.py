"""Images drawn by all processes of a command together: each takes its part of the seeds, and everyone gets all."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from math import prod

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from ddpm_lib.cli.common import UsageError
from ddpm_lib.data.memory import check_memory
from ddpm_lib.denoiser import Labels
from ddpm_lib.models import classes_of
from ddpm_lib.models.trained import Trained
from ddpm_lib.sampling import State
from ddpm_lib.train.machine.processes import Processes

Walk = Callable[[Sequence[int], Labels | None], Iterator[State]]  # from (seeds, y): a state per step
DEFAULT_STEPS, GUIDANCE = 50, 0.5


def steps_of(asked: int | None, T: int) -> int:
    """How many steps the sampler takes: all T for 0; when nothing was asked for, 50 or all of a shorter chain."""
    return min(DEFAULT_STEPS, T) if asked is None else asked or T


def settle(args: argparse.Namespace, checkpoint: Trained) -> None:
    """Give --steps and --guidance the values that suit the network, where the user gave none.

    A distilled network has its teacher's guidance in it, and draws in one step what it draws best. Raises UsageError
    for what would be ignored.
    """
    if args.eta and args.sampler != "ddim":
        raise UsageError(
            f"--eta is DDIM's noise, and {args.sampler} has its own: leave it out, or pass ddim."
        )
    if args.guidance not in (None, 0, GUIDANCE) and not classes_of(checkpoint.model_config):
        raise UsageError("--guidance steers to a class, and this network knows no classes: leave it out.")
    distilled = "teacher" in checkpoint.training
    if args.guidance is None:
        args.guidance = 0.0 if distilled else GUIDANCE
    if args.steps is None and distilled:
        args.steps = 1


def drawn(
    processes: Processes,
    walk: Walk,
    seeds: Sequence[int],
    y: Int[Tensor, " n"] | None,
    batch: int = 64,
    *,
    states: int,
    frames: Sequence[int] = (-1,),
) -> Iterator[tuple[Sequence[int], Float[Tensor, "b f c h w"]]]:
    """This process's part, `batch` seeds at a time: their seeds, and those of the walk's states that `frames` numbers.

    A walk has `states` of them, from 0 (noise) to -1 (the image). A bar counts the steps of the whole part.
    """
    own = processes.part(len(seeds))
    seeds, y = seeds[own], None if y is None else y[own]
    wanted = [frame % states for frame in frames]
    total = -(-len(seeds) // batch) * (states - 1)
    with tqdm(total=total, unit="step", disable=not processes.is_main) as bar:
        for i in range(0, len(seeds), batch):
            part = seeds[i : i + batch]
            kept: dict[int, Tensor] = {}
            for n, state in enumerate(
                walk(part, None if y is None else y[i : i + batch].to(processes.device))
            ):
                if n in wanted:
                    kept[n] = state.xt.cpu()
                bar.update(n > 0)
            yield part, torch.stack([kept[n] for n in wanted], 1)


def draw(
    processes: Processes,
    walk: Walk,
    shape: Sequence[int],
    seeds: Sequence[int],
    y: Int[Tensor, " n"] | None,
    batch: int = 64,
    *,
    states: int,
) -> Float[Tensor, "n c h w"]:
    """An image of `shape` for each seed, in the order of the seeds.

    An image depends on its seed alone, so how many processes there are changes nothing.
    """
    parts = [images[:, 0] for _, images in drawn(processes, walk, seeds, y, batch, states=states)]
    return processes.gather(
        torch.cat([torch.zeros(0, *shape), *parts])
    )  # there may be more processes than images


def check_count(n: int, shape: Sequence[int]) -> None:
    """Raise DataError where n images of this shape cannot fit into memory, as floats and as a page."""
    check_memory(8 * n * prod(shape), f"{n:,} images", "draw fewer at a time, with other seeds")
