"""`python -m ddpm_lib sample`: a PNG of images from a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tqdm import tqdm

from ddpm_lib import load
from ddpm_lib.cli.common import UsageError, pick_device, print_config
from ddpm_lib.generate import class_labels, generate, sampler, save_grid, with_guidance
from ddpm_lib.models import classes_of
from ddpm_lib.sampling import timesteps


def run(args: argparse.Namespace) -> None:
    """Draw --count images and write them to --grid."""
    checkpoint, device = load(args.checkpoint), pick_device(args.device)
    about, diffusion = checkpoint.about, checkpoint.diffusion
    steps = diffusion.T if args.steps == 0 else args.steps
    timesteps(diffusion.T, steps)  # too many are refused before the network is built
    if Path(args.grid).suffix != ".png":
        raise UsageError(f"The grid is written as a PNG, but {args.grid} does not end in .png: name it so.")
    y = class_labels(args.count, classes_of(checkpoint.model_config), args.label)
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
            device=device,
            grid=args.grid,
        )
        return
    denoiser = with_guidance(checkpoint.network().to(device), args.guidance)
    seeds = range(args.seed, args.seed + args.count)
    images = generate(
        denoiser, diffusion, about.shape, seeds, y=y, step=step, steps=steps, batch=args.batch, device=device
    )
    with tqdm(total=args.count, unit="image") as bar:
        parts = []
        for part in images:
            parts.append(part)
            bar.update(len(part))
    save_grid(Path(args.grid), torch.cat(parts), args.columns)
    print(f"Wrote {args.count} images to {args.grid}")
