"""The options of `sample`."""

from __future__ import annotations

import argparse

from ddpm_lib.cli.numbers import images, positive, repeats
from ddpm_lib.cli.options_shared import common, sampler


def options(p: argparse.ArgumentParser) -> None:
    """What is drawn, from what, and where it goes."""
    p.add_argument(
        "checkpoint",
        help="a run's checkpoint.safetensors, exported weights, or a shipped name, as cpu-minutes",
    )
    p.add_argument("--count", type=images, default=64, help="images to draw (default: 64)")
    p.add_argument("--columns", type=positive, default=8, help="images in a row (default: 8)")
    p.add_argument(
        "--label",
        "--class",
        metavar="CLASS",
        help="class to draw, by name or number (default: every class in turn)",
    )
    p.add_argument("--batch", type=positive, default=64, help="images at a time (default: 64)")
    p.add_argument(
        "--compile", action="store_true", help="compile the network first: pays for many images, on a GPU"
    )
    where = p.add_argument_group("where the images go; earlier grids and films of the same name are replaced")
    where.add_argument(
        "--grid",
        metavar="PNG",
        help="all in rows (default: samples.png, if nothing else is asked for)",
    )
    where.add_argument("--folder", metavar="DIR", help="a PNG each, named by its seed")
    where.add_argument("--gif", metavar="FILE", help="a film of the way from noise to images, .gif or .webp")
    edit = p.add_argument_group("changing an image of one's own")
    edit.add_argument(
        "--from", dest="source", metavar="IMAGE", help="image to begin from, in the place of noise"
    )
    edit.add_argument(
        "--start",
        type=positive,
        metavar="T",
        help="time that it is noised to: the later, the freer (default: half of the chain; with --mask, all of it)",
    )
    edit.add_argument("--mask", metavar="IMAGE", help="white where it is drawn anew, black where it is kept")
    edit.add_argument(
        "--resample",
        type=repeats,
        metavar="N",
        help="times that each step is taken with --mask, for parts that fit together (default: 5)",
    )
    sampler(p)
    common(p)
