"""The options of `train`."""

from __future__ import annotations

import argparse
from typing import get_args

from ddpm_lib.cli.numbers import decay, positive, rate, seconds, seed, times
from ddpm_lib.cli.options_shared import common
from ddpm_lib.denoiser import Predicts
from ddpm_lib.schedule import SCHEDULES
from ddpm_lib.train.presets import PRESETS


def options(p: argparse.ArgumentParser) -> None:
    """The options of `train`, in groups."""
    p.add_argument("model", nargs="?", choices=["unet", "resnet"], help="network (default: unet)")
    p.add_argument("--preset", choices=list(PRESETS), metavar="NAME", help="named experiment; see below")
    p.add_argument("--data", help="mnist, fashion-mnist, a folder of images or of shards (default: mnist)")
    p.add_argument(
        "--size",
        type=positive,
        help="side of a folder's images in pixels (default: 32, or that of --init, or the shards' own)",
    )
    p.add_argument(
        "--channels", type=int, choices=[1, 3], help="1 for grey, 3 for color (default: as the images are)"
    )
    p.add_argument("--skip-bad", action="store_true", help="leave out images that cannot be read")
    p.add_argument("--out", metavar="FOLDER", help="where the run is saved (default: runs/PRESET)")
    p.add_argument(
        "--init",
        metavar="WEIGHTS",
        help="begin with trained weights and keep their network and noise: a shipped name, as cpu-minutes, a run's "
        "folder, or exported or imported weights; the preset says how they are trained",
    )
    p.add_argument("--resume", metavar="CHECKPOINT", help="go on with an interrupted run")
    p.add_argument(
        "--steps",
        type=positive,
        help="optimizer steps, those before a --resume included, however long they take",
    )
    p.add_argument(
        "--seconds",
        type=seconds,
        help="stop after so many seconds of training, those before a --resume included",
    )
    p.add_argument("--batch", type=positive, help="images per step, of all processes together")
    p.add_argument(
        "--accumulate",
        type=positive,
        metavar="N",
        help="microbatches that a step is computed in: the same step in less memory",
    )
    p.add_argument("--lr", type=rate, help="learning rate (default: the preset's; with --init at most 2e-4)")
    p.add_argument(
        "--ema",
        type=decay,
        metavar="DECAY",
        help="of the average of the weights: 0.99 in short runs to 0.9999",
    )
    p.add_argument(
        "--flip",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="mirror half of the images, left to right: for what may look either way, and not for letters",
    )
    network = p.add_argument_group("the network and its noise, in the place of the preset's")
    network.add_argument("--width", type=positive, metavar="MAPS", help="feature maps of the first level")
    network.add_argument(
        "--levels", type=positive, metavar="N", help="resolutions of a U-Net, each half of the one before"
    )
    network.add_argument(
        "--predicts", choices=get_args(Predicts), help="what the network is trained to output"
    )
    network.add_argument("--schedule", choices=list(SCHEDULES), help="how the noise grows")
    network.add_argument("-T", type=times, metavar="STEPS", help="noising steps of the chain")
    p.add_argument(
        "--precision", choices=["float32", "bfloat16"], help="default: whichever is faster here, measured"
    )
    p.add_argument(
        "--compile",
        action="store_true",
        default=None,
        help="compile the network first, a minute or two that pays in long runs, most on a GPU",
    )
    p.add_argument("--seed", type=seed, help="of everything random")
    p.add_argument(
        "--save-every", type=seconds, default=60.0, metavar="SECONDS", help="between saves (default: 60)"
    )
    common(p)
