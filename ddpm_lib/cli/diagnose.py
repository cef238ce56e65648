"""`python -m ddpm_lib diagnose`: what is wrong with a checkpoint, one line a check."""

from __future__ import annotations

import argparse

from ddpm_lib.cli.classes import check_labels
from ddpm_lib.cli.common import print_config
from ddpm_lib.cli.networks import load_pictures
from ddpm_lib.data.stream import open_images
from ddpm_lib.evaluate.diagnose import diagnose

IMAGES = 64  # enough for every check


def options(p: argparse.ArgumentParser) -> None:
    """The options of this command."""
    p.add_argument(
        "checkpoint",
        help="a run's checkpoint.safetensors, exported weights, or a shipped name, as cpu-minutes",
    )
    p.add_argument("--data", help="images like those of the training (default: what it was trained on)")
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")


def run(args: argparse.Namespace) -> None:
    """Print a line for every check, up to the first that finds a fault."""
    checkpoint = load_pictures(args.checkpoint, square=True)
    data = args.data or checkpoint.about.data
    if args.dry_run:
        print_config(
            model=checkpoint.model_config,
            trained=checkpoint.history,
            data=f"{data}, the first {IMAGES} images",
        )
        return
    channels, _, size = checkpoint.about.shape
    found = open_images(data, train=False, size=size, channels=channels, say=print)
    check_labels(checkpoint, found.classes, data)
    few = found.head(IMAGES)
    findings = diagnose(checkpoint, x0=few.x0(), y=few.y)
    if not findings[-1].fault:
        print(
            "No fault that is known here. It may still be small, or half trained: `evaluate` measures how good it is."
        )
