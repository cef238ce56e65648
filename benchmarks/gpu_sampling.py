"""A row of benchmarks/gpu_speed.py: a grid of digits by all steps of DDPM on a GPU, ours and diffusers' pipeline."""

from __future__ import annotations

import argparse

import torch

from benchmarks.libraries import T
from benchmarks.networks import BUILD, SHAPE, SIZES, NotInstalled
from benchmarks.networks import require as require_library
from benchmarks.rows import Row
from benchmarks.timing import digits, timed
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import linear_schedule

LARGEST, DIGITS = "13.8 M", 64


def sample_row(args: argparse.Namespace) -> Row:
    """Seconds for a grid of digits by all steps of DDPM, in bfloat16."""
    size, images, of = (next(iter(SIZES)), 1, 24) if args.quick else (LARGEST, DIGITS, T)
    diffusion = GaussianDiffusion(linear_schedule(of))
    network = BUILD["ours"](SIZES[size]).to(args.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def ours() -> None:
        with torch.autocast(args.device, torch.bfloat16):
            last(sample(network, diffusion, SHAPE, seeds=range(images), device=args.device))

    rounds = 1 if args.quick else 3
    row: Row = {
        "unit": "s",
        "steps": of,
        "images": images,
        "ours": digits(min(timed(ours) for _ in range(rounds))),
    }
    try:
        require_library("diffusers")
    except NotInstalled as missing:
        print(f"diffusers: {missing}", flush=True)
        return {**row, "diffusers": str(missing)}
    from diffusers import DDPMPipeline, DDPMScheduler

    theirs = DDPMPipeline(
        BUILD["diffusers"](SIZES[size]).to(args.device), DDPMScheduler(num_train_timesteps=of)
    )
    theirs.set_progress_bar_config(disable=True)

    def pipeline() -> None:
        with torch.autocast(args.device, torch.bfloat16):
            theirs(batch_size=images, num_inference_steps=of, output_type="np")

    return {**row, "diffusers": digits(min(timed(pipeline) for _ in range(rounds)))}
