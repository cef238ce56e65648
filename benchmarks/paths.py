"""Speed changes nothing: the losses of the fast path and of the plain one, against the noise of seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.paths

The network of the preset `cpu-minutes` is trained for 60 steps from three seeds on each path. Plain: float32 in torch's
own layout. Fast: channels_last; whichever precision is faster here (see probe.py); on a CPU Winograd's convolutions,
pay they or not; and on CUDA TF32 and a compiled network. A row holds a path's losses, each the mean of ten steps. The
two paths of one seed draw the same batches, times and noise, so what differs is rounding.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.machine import machine
from benchmarks.rows import Row, fill
from benchmarks.timing import digits
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import build
from ddpm_lib.train import Machine, train
from ddpm_lib.train.machine.compiling import tune
from ddpm_lib.train.machine.probe import WIDE, fastest
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "paths.json"
SEEDS = (0, 1, 2)
EVERY = 10


def measure(key: Row, device: str, steps: int) -> Row:
    """The losses of one run."""
    preset = PRESETS["cpu-minutes"]
    config = replace(preset.train, steps=steps, seconds=None, every=EVERY, seed=key["seed"])
    torch.set_float32_matmul_precision("highest")
    if key["path"] == "fast":
        tune(torch.device(device))
    torch.manual_seed(config.seed)
    data, network = mnist().to(device), build(preset.model).to(device)
    machine = Machine()
    if key["path"] == "fast":
        machine = fastest(network, data.x0(slice(0, config.batch)))
        wide = WIDE[0] if device == "cpu" else 0
        machine = replace(machine, channels_last=True, winograd=wide, compile=device == "cuda")
    batches = Batches(data, config.batch, config.seed)
    diffusion = GaussianDiffusion(preset.noise_schedule())
    progress = list(train(network, diffusion, batches, config, machine=machine))
    losses, seconds = [digits(p.loss, 5) for p in progress], round(progress[-1].seconds, 1)
    return {"precision": machine.precision, "winograd": machine.winograd, "loss": losses, "seconds": seconds}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--resume", action="store_true", help="keep the rows that are measured already")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    on = args.device if args.device == "cpu" else torch.cuda.get_device_name()
    head = {"what": f"loss, a mean of {EVERY} steps", "steps": args.steps, "device": on, "machine": machine()}
    keys = [{"path": path, "seed": seed} for seed in SEEDS for path in ("plain", "fast")]
    fill(args.out, head, keys, partial(measure, device=args.device, steps=args.steps), args.resume)
    return 0


if __name__ == "__main__":
    sys.exit(main())
