"""How fast training and sampling are on a GPU: plain, as one graph a step, compiled, and in the libraries around us.

    python3 -m benchmarks.gpu_speed --device cuda [--work train sample compiled]

train      milliseconds of a training step of 64 images in bfloat16 at the five sizes of benchmarks/networks.py, plain
           and graphed, and of the peers that are installed, as their users run them
sample     seconds for 64 digits in all 500 steps of DDPM with the largest, ours and diffusers' pipeline
compiled   the same step compiled, without and with a graph, and the seconds that compiling took

`share_of_peak` is the FLOP/s of our fastest step over those of a large bfloat16 matrix product, measured just before.
What cannot be measured says why in its place. Rows that are there are kept.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_sampling import LARGEST, sample_row
from benchmarks.libraries import T, training
from benchmarks.machine import machine
from benchmarks.networks import (
    BUILD,
    LIBRARIES,
    SIZES,
    forward_flops,
    installed,
    parameters,
)
from benchmarks.rows import Row, fill
from benchmarks.timing import digits, timed
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import Network
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, TrainConfig, train
from ddpm_lib.train.machine.compiling import compile_network, tune
from ddpm_lib.train.machine.graph import train_graphed
from ddpm_lib.train.machine.quickest import CHECKED, TIMED, Loop, trial

RESULT = ASSETS / "measured" / "gpu-speed.json"
WORKS = ("train", "sample", "compiled")
COMPILED = ("1 M", "13.8 M")


def step_time(
    loop: Loop, size: str, args: argparse.Namespace, change: Callable[[Network], None] | None = None
) -> Any:
    """Milliseconds of one of our training steps, or why there are none."""
    config = TrainConfig(batch=args.batch, lr=2e-4)
    computed = Machine(precision="bfloat16", channels_last=True)
    data = mnist().to(args.device)

    def make() -> Network:
        torch.manual_seed(0)
        network: Network = BUILD["ours"](SIZES[size]).to(args.device)  # type: ignore[assignment]
        if change is not None:
            change(network)
        return network

    if args.device == "cpu" and loop is train_graphed:
        return "not measured: there is no CUDA device"
    counts = {"checked": 1, "steps": 1} if args.quick else {"checked": CHECKED, "steps": TIMED}
    diffusion = GaussianDiffusion(linear_schedule(T))
    try:
        return digits(
            1000 * trial(loop, make, diffusion, Batches(data, args.batch), config, computed, **counts).step, 4
        )
    except Exception as error:
        return f"not measured: {type(error).__name__}: {str(error).splitlines()[0][:200]}"


def peak(args: argparse.Namespace) -> float:
    """FLOP/s of a large matrix product in bfloat16."""
    n = 256 if args.device == "cpu" else 8192
    a = torch.randn(n, n, device=args.device, dtype=torch.bfloat16)
    return 2.0 * n**3 / min(timed(lambda: a @ a) for _ in range(6))


def train_row(size: str, args: argparse.Namespace) -> Row:
    """Every way to take a step of one size."""
    best = peak(args)
    row: Row = {
        "unit": "ms",
        "plain": step_time(train, size, args),
        "graphed": step_time(train_graphed, size, args),
    }
    here, missing = installed(LIBRARIES[1:])
    steps = 1 if args.quick else TIMED
    for name in here:
        try:
            arm = training(name, SIZES[size], mnist().to(args.device), args.batch, "bfloat16", steps=steps)
            row[name] = digits(1000 * min(timed(arm) for _ in range(1 if args.quick else 3)) / steps, 4)
        except Exception as error:
            row[name] = f"not measured: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
    network = BUILD["ours"](SIZES[size])
    flops = 3 * forward_flops(network) * args.batch
    fastest = min(row[name] for name in ("plain", "graphed") if isinstance(row[name], float))
    rate = flops / fastest * 1000
    shares = {"flop_per_second": digits(rate), "peak_flop_per_second": digits(best)}
    return {
        **row,
        **missing,
        "parameters": parameters(network),
        **shares,
        "share_of_peak": digits(rate / best),
    }


def compiled_row(size: str, args: argparse.Namespace) -> Row:
    """A compiled step, in the library's own graphs and in ours."""
    if args.device == "cpu":
        return {"unit": "ms", "compiled": "not measured: there is no CUDA device"}
    begun = time.perf_counter()
    row: Row = {"unit": "ms", "compiled": step_time(train, size, args, compile_network)}
    row["compiling, s"] = digits(time.perf_counter() - begun)
    graphed = step_time(train_graphed, size, args, lambda network: network.compile(dynamic=False))
    return {**row, "compiled and graphed": graphed}


def measure(key: Row, args: argparse.Namespace) -> Row:
    """The row of one kind of work at one size."""
    if key["work"] == "sample":
        return sample_row(args)
    return (train_row if key["work"] == "train" else compiled_row)(key["size"], args)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", choices=WORKS, nargs="+", default=list(WORKS))
    parser.add_argument("--device", default="cuda", help="cuda (default) or cpu")
    parser.add_argument("--batch", type=int, default=64, help="images a training step (default: 64)")
    parser.add_argument("--quick", action="store_true", help="the smallest of everything: a rehearsal")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args(argv)
    args = argparse.Namespace(**{**vars(args), "batch": 2 if args.quick else args.batch})

    tune(torch.device(args.device))
    head = {
        "what": "a training step of 64 images in bfloat16, ms; 64 digits in 500 steps, s",
        "device": args.device if args.device == "cpu" else torch.cuda.get_device_name(),
        "batch": args.batch,
        "torch": torch.__version__,
        "machine": machine(),
    }
    sizes = {"train": list(SIZES), "sample": [LARGEST], "compiled": list(COMPILED)}
    quick = {"train": [next(iter(SIZES))], "sample": [LARGEST], "compiled": [COMPILED[0]]}
    keys = [
        {"work": work, "size": size} for work in args.work for size in (quick if args.quick else sizes)[work]
    ]
    fill(args.out, head, keys, partial(measure, args=args), resume=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
