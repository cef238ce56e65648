"""What each piece of the U-Net is worth: one is taken out at a time, and everything else stays.

    OMP_NUM_THREADS=1 python -m benchmarks.ablate --steps 3000 [--target eps]

The whole is the network and the training of `cpu-minutes`, with fewer steps; each arm changes one thing, with as many
seeds as asked for. `distance` is `metrics.digit_distance` to the 10,000 test digits. The chapter on the U-Net reads the
result, so it is part of the package: ddpm_lib/assets/measured/ablate.json for networks that predict x0, and
ablate-eps.json for the same networks that predict the noise. The file is written after every network, and a second run
measures only what is missing. (The ones there were made with --steps 3000 --device cuda --jobs 9.)
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.arms import Drawn, Key, Row, run, train_and_draw
from benchmarks.jobs import add_jobs
from ddpm_lib.data import ASSETS
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.exercises.unet import rows_for_columns
from ddpm_lib.models import UNet
from ddpm_lib.models.blocks import Attention, ResidualBlock, TimeMLP
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "ablate.json"
PRESET = PRESETS["cpu-minutes"]
TARGETS = {"x0": RESULT, "eps": RESULT.with_name("ablate-eps.json")}  # what the networks predict
SEEDS, DDIM_STEPS = 3, 20
SHOWN = 10  # images of each network in ablate.png

Change = Callable[[UNet], object]


def no_skips(net: UNet) -> None:
    """The way up gets zeros where the feature maps of the way down would be."""

    def blank(stage: nn.Module, args: tuple[Tensor, Tensor], own: int) -> tuple[Tensor, Tensor]:
        h, emb = args
        return torch.cat([h[:, :own], torch.zeros_like(h[:, own:])], dim=1), emb

    widths = [net.config.base * m for m in net.config.mults]
    own, stages = widths[-1], iter(net.up)
    for width in reversed(widths):
        for _ in range(net.config.blocks + 1):
            next(stages).register_forward_pre_hook(partial(blank, own=own))
            own = width


def no_time(net: UNet) -> None:
    """The time's features are zero, whatever the time."""
    net.time.register_forward_hook(lambda module, args, out: torch.zeros_like(out))


class Mistaken(TimeMLP):
    """The time embedded with sines in the even rows and cosines in the odd ones."""

    def forward(self, t: Tensor) -> Tensor:
        """(b,) times to (b, out) features."""
        features: Tensor = self.mlp(rows_for_columns(t, self.dim))
        return features


def mistaken_time(net: UNet) -> None:
    """The classic mistake of masking rows for columns."""
    net.time.__class__ = Mistaken


def no_attention(net: UNet) -> None:
    """The middle without its attention."""
    for stage in net.modules():
        if isinstance(parts := getattr(stage, "parts", None), nn.ModuleList):
            stage.parts = nn.ModuleList(part for part in parts if not isinstance(part, Attention))


def no_residual(net: UNet) -> None:
    """Each block puts out its correction alone; its last layer starts as any other, or nothing would come out."""
    for block in net.modules():
        if isinstance(block, ResidualBlock):
            block.conv2.reset_parameters()
            block.register_forward_hook(lambda module, args, out: out - module.skip(args[0]))


def no_zero_init(net: UNet) -> None:
    """The last layer of every block, of the attention and of the network starts as any other."""
    for module in net.modules():
        if isinstance(module, ResidualBlock):
            module.conv2.reset_parameters()
        elif isinstance(module, Attention):
            module.out.reset_parameters()
    net.last[-1].reset_parameters()  # type: ignore[operator]


# name -> what differs in the network's configuration, what is done to the network, what differs in the training
ARMS: dict[str, tuple[dict[str, Any], Change | None, dict[str, Any]]] = {
    "the whole": ({}, None, {}),
    "no skips": ({}, no_skips, {}),
    "no time": ({}, no_time, {}),
    "rows for columns": ({}, mistaken_time, {}),
    "time only added": ({"scale_shift": False}, None, {}),
    "no attention": ({}, no_attention, {}),
    "no residual": ({}, no_residual, {}),
    "no zero init": ({}, no_zero_init, {}),
    "no norm": ({"groups": 0}, None, {}),
    "one size": ({"mults": (2,)}, None, {}),
    "no average": ({}, None, {"ema": 0.0}),
}


def measure(args: argparse.Namespace, key: Key) -> tuple[Row, Tensor]:
    """Train one arm's network and draw with it."""
    network, change, training = ARMS[key["arm"]]
    config = replace(PRESET.train, steps=args.steps, seconds=None, seed=key["seed"], **training)
    torch.manual_seed(key["seed"])
    net = UNet(replace(PRESET.model, predicts=args.target, **network))  # type: ignore[arg-type]
    if change is not None:
        change(net)
    drawn = Drawn(args.samples, DDIM_STEPS, args.device)
    return train_and_draw(net, GaussianDiffusion(PRESET.noise_schedule()), config, drawn, args.precision)


def main(argv: list[str] | None = None, until: float = math.inf) -> bool:
    """Measure what is missing; no arm is begun that would not end by `until` (see arms.run). True when none is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=500, help="training steps a network (default: 500)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"networks an arm (default: {SEEDS})")
    parser.add_argument("--target", default="x0", choices=TARGETS, help="what all predict (default: x0)")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS, metavar="ARM")
    parser.add_argument("--samples", type=int, default=1024, help="digits drawn a network (default: 1024)")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    add_jobs(parser)
    parser.add_argument("--out", type=Path, help="the JSON file (default: the package's, of this target)")
    args = parser.parse_args(argv)
    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "steps": args.steps,
        "batch": PRESET.train.batch,
        "samples": args.samples,
        "precision": args.precision if args.device == "cpu" else "bfloat16",
    }
    keys = [{"seed": seed, "arm": arm} for seed in range(args.seeds) for arm in args.arms]
    return run(args.out or TARGETS[args.target], head, keys, partial(measure, args), SHOWN, until, args.jobs)


if __name__ == "__main__":
    sys.exit(not main())
