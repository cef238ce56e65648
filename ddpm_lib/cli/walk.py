"""Which walk `sample` takes: from noise, from an image of the user's, or around what a mask keeps."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ddpm_lib.cli.common import UsageError, at_the_door
from ddpm_lib.cli.drawing import Walk, steps_of
from ddpm_lib.data.images import to_x0
from ddpm_lib.data.pixels import read_image
from ddpm_lib.denoiser import Denoiser, Labels
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import edit_from, start_times
from ddpm_lib.sampling import State, Step, sample, timesteps

RESAMPLE = 5  # times that inpainting takes each step, when nothing is asked for


@dataclass(frozen=True)
class Route:
    """The times of a walk, from the first down to 0, and the image that it begins from, if any."""

    times: list[int]
    x0: Float[Tensor, "1 c h w"] | None = None
    known: Bool[Tensor, "1 1 h w"] | None = None  # where the image is kept
    resample: int = 1

    def __str__(self) -> str:
        """One line for --dry-run."""
        if self.x0 is None:
            return "noise"
        if self.known is None:
            return f"the image, noised to t = {self.times[0]}"
        kept = float(self.known.float().mean())
        return f"t = {self.times[0]}, {kept:.0%} of the image kept, each step taken {self.resample} times"


def route(args: argparse.Namespace, T: int, shape: Sequence[int]) -> Route:
    """What `args` asks for, in a chain of T steps and images of `shape`. Raises UsageError and BadImage."""
    steps = steps_of(args.steps, T)
    if args.source is None:
        for option in ("start", "mask", "resample"):
            if getattr(args, option) is not None:
                raise UsageError(f"--{option} is for changing an image: name the image with --from.")
        with at_the_door():
            return Route(timesteps(T, steps))
    if args.resample is not None and args.mask is None:
        raise UsageError("--resample belongs to a mask: pass one with --mask, or leave it out.")
    channels, height, width = shape
    if height != width:
        raise UsageError(f"--from reads squares, and this network draws {height} x {width}: leave it out.")
    with at_the_door():
        times = start_times(T, args.start or (T if args.mask else max(T // 2, 1)), steps)
    x0 = to_x0(read_image(Path(args.source), width, channels))[None]
    if args.mask is None:
        return Route(times, x0)
    known = read_image(Path(args.mask), width, 1)[None] < 128
    if known.all() or not known.any():
        raise UsageError(
            f"{args.mask} is all {'black' if known.all() else 'white'}: paint it white where the image is to be drawn "
            "anew, and black where it is to stay."
        )
    return Route(times, x0, known, args.resample or RESAMPLE)


def walk_of(
    way: Route,
    denoiser: Denoiser,
    diffusion: GaussianDiffusion,
    shape: Sequence[int],
    step: Step,
    device: torch.device,
) -> Walk:
    """The walk of an image of `shape` for each of some seeds."""
    x0 = None if way.x0 is None else way.x0.to(device)
    known = None if way.known is None else way.known.to(device)
    steps = len(way.times) - 1

    def walk(seeds: Sequence[int], y: Labels | None) -> Iterator[State]:
        if x0 is None:
            return sample(denoiser, diffusion, shape, seeds=seeds, y=y, step=step, steps=steps, device=device)
        x = x0.expand(len(seeds), *x0.shape[1:])
        return edit_from(
            denoiser, diffusion, x, way.times[0],
            seeds=seeds, y=y, step=step, steps=steps, known=known, resample=way.resample,
        )  # fmt: skip

    return walk
