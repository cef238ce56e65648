"""What keeps the first steps of the large U-Net finite: the classic recipe, and one change of it at a time.

    python3 -m benchmarks.diverge [--device cpu] [--changes CHANGE ...] [--seeds SEED ...]

A row is a network, a change of the recipe, a precision, a seed and a device. `lost at` is the step after which loss or
weights were not finite, null where all `--steps` steps stayed finite; `loss` is the mean of every tenth of the run,
null from there on where it was lost. Rows that are there are kept. Ten seconds an arm on a large GPU, most of an hour
on a CPU.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.rows import Row, fill
from benchmarks.timing import digits
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import build
from ddpm_lib.train import Machine, TrainConfig, TrainingError, train
from ddpm_lib.train.machine.compiling import tune
from ddpm_lib.train.machine.graph import train_graphed
from ddpm_lib.train.presets import CLASSIC, LADDER, PRESETS

RESULT = ASSETS / "measured" / "diverge.json"
TENTHS = 10
# A warm-up is a share of the run, here of ten epochs: 500 steps, and of a shorter run as many.
WARM_UP = 500
CHANGES: dict[str, dict[str, Any]] = {
    "none": {},
    "clip 1": {"clip": 1.0},
    "warm-up": {"warmup": WARM_UP / CLASSIC.steps},
    "clip 1 and warm-up": {"clip": 1.0, "warmup": WARM_UP / CLASSIC.steps},
    "lr 2e-4": {"lr": 2e-4},
}


def keys(args: argparse.Namespace) -> list[Row]:
    """What is asked for, seed by seed."""
    device = "CPU" if args.device == "cpu" else torch.cuda.get_device_name()
    return [
        {"network": args.network, "change": change, "precision": args.precision, "seed": seed, "on": device}
        for seed in args.seeds
        for change in args.changes
    ]


def measure(key: Row, args: argparse.Namespace) -> Row:
    """Train one arm until its steps are done or its loss is lost."""
    preset = PRESETS[key["network"]]
    config: TrainConfig = replace(
        CLASSIC, **CHANGES[key["change"]], seed=key["seed"], every=args.steps // TENTHS
    )
    torch.manual_seed(key["seed"])
    model = build(preset.model).to(args.device)
    loop: Any = train_graphed if args.device == "cuda" else train
    run = loop(
        model,
        GaussianDiffusion(preset.noise_schedule()),
        Batches(mnist().to(args.device), config.batch, config.seed),
        config,
        None,
        Machine(precision=key["precision"], channels_last=True),
    )
    losses: list[float | None] = [None] * TENTHS
    try:
        for i, progress in zip(range(TENTHS), run, strict=False):
            losses[i] = digits(progress.loss, 4)
    except TrainingError as error:
        return {"lost at": error.step, "loss": losses}
    return {"lost at": None, "loss": losses}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda", help="cuda (default) or cpu")
    parser.add_argument("--steps", type=int, default=600, help="steps of each arm (default: 600)")
    parser.add_argument("--network", default="classic-unet", choices=LADDER)
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=CHANGES, metavar="CHANGE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--precision", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)

    tune(torch.device(args.device))
    torch.backends.cudnn.benchmark = args.device == "cuda"
    head = {
        "what": f"the mean loss of each tenth of {args.steps} steps, and the step that was not finite",
        "steps": args.steps,
        "machine": "each row's own, `on`",
    }
    fill(args.out, head, keys(args), partial(measure, args=args), resume=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
