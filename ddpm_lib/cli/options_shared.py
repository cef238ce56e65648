"""Options that several commands have."""

from __future__ import annotations

import argparse

from ddpm_lib.cli.numbers import count, finite, seed, share


def sampler(p: argparse.ArgumentParser) -> None:
    """How images are drawn."""
    p.add_argument("--sampler", choices=["ddpm", "ddpm-beta", "ddim"], default="ddim", help="default: ddim")
    p.add_argument(
        "--steps",
        type=count,
        help="steps of the sampler; 0 takes all T (default: 50, or all of a shorter chain; 1 for a distilled network)",
    )
    p.add_argument("--eta", type=share, default=0.0, help="DDIM's noise: 0 none, 1 as DDPM (default: 0)")
    p.add_argument(
        "--guidance",
        type=finite,
        help="weight w, for networks with classes (default: 0.5; 0 for a distilled one, which has learned it)",
    )
    p.add_argument("--seed", type=seed, default=0, help="seed of the first image; the next has seed + 1")


def common(p: argparse.ArgumentParser) -> None:
    """Where it runs, and whether."""
    p.add_argument("--device", default="auto", help="cpu, cuda, mps (default: a GPU where there is one)")
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")
