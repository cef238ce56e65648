"""`python -m ddpm_lib sample`: a PNG of images from a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ddpm_lib import load
from ddpm_lib.cli.classes import label_of
from ddpm_lib.cli.common import UsageError, at_the_door, print_config, processes_for
from ddpm_lib.cli.drawing import check_count, draw
from ddpm_lib.evaluate.generate import class_labels, sampler, save_grid, with_guidance
from ddpm_lib.models import classes_of, use_winograd
from ddpm_lib.models.place import check_place
from ddpm_lib.sampling import timesteps
from ddpm_lib.train.machine.compiling import compile_network
from ddpm_lib.train.machine.processes import Processes


def run(args: argparse.Namespace) -> None:
    """Draw --count images and write them to --grid."""
    with processes_for(args.device, lambda: "start again.") as processes:
        _run(args, processes)


def _run(args: argparse.Namespace, processes: Processes) -> None:
    checkpoint = load(args.checkpoint)
    about, diffusion = checkpoint.about, checkpoint.diffusion
    steps = diffusion.T if args.steps == 0 else args.steps
    if Path(args.grid).suffix != ".png":
        raise UsageError(f"The grid is written as a PNG, but {args.grid} does not end in .png: name it so.")
    check_place(args.grid)
    check_count(args.count, about.shape)
    label = label_of(checkpoint, args.label)
    with at_the_door():
        timesteps(diffusion.T, steps)
        y = class_labels(args.count, classes_of(checkpoint.model_config), label)
        step = sampler(args.sampler, args.eta)
    if args.dry_run:
        print_config(
            model=checkpoint.model_config,
            trained=f"{checkpoint.step:,} steps on {about.data}",
            shape=about.shape,
            sampler=args.sampler,
            steps=f"{steps} of T = {diffusion.T} ({checkpoint.schedule.name} schedule)",
            eta=args.eta,
            guidance=args.guidance if y is not None else "none: the network knows no classes",
            labels="none" if y is None else y.tolist(),
            seeds=f"{args.seed} ... {args.seed + args.count - 1}",
            device=processes.device,
            processes=processes.world,
            grid=args.grid,
        )
        return
    network = checkpoint.network().to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    use_winograd(network, checkpoint.training.get("winograd", 0))  # as it was trained
    if args.compile:
        with at_the_door():
            compile_network(network)
    denoiser = with_guidance(network, args.guidance)
    seeds = range(args.seed, args.seed + args.count)
    images = draw(processes, denoiser, diffusion, about.shape, seeds, y, step, steps, args.batch)
    if processes.is_main:
        save_grid(Path(args.grid), images, args.columns)
    print(f"Wrote {args.count} images to {args.grid}")
