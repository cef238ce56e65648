"""The same work in three libraries, side by side: ours, diffusers, denoising-diffusion-pytorch.

    make bench                                         everything (three quarters of an hour on one CPU core)
    PYTHONPATH=.venv/bench python -m benchmarks.peers --threads 1 --work train --sizes "1 M"

Work: a training step of 64 images at five sizes of network; one step of the DDPM and the DDIM sampler with 64 images,
and the same with a network that does nothing, which is the sampler's own overhead; the peak memory of training; the
time to import. Every library runs as its users run it, in whichever of float32 and bfloat16 is faster for it here (on
CUDA ours is compiled). Arms are timed in turn, one call each a round, and a ratio is taken within a round: `ratio` is
the median, `spread` the quartiles, of (time of the better peer) / (our time), above 1 where we are faster.
`share_of_peak` is our FLOP/s over those of the faster of a large matrix product and a large convolution, measured in
the same rounds; the operations counted are those of convolutions as they are written, so Winograd's can pass 1. `equal`
is the ratio to diffusers' network where its loop is given our precision and layout too.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch

from benchmarks.machine import machine
from benchmarks.networks import SIZES
from benchmarks.peer_sampling import overhead_row, sample_row
from benchmarks.peer_training import compared, fastest_of, libraries, others, train_row
from benchmarks.rows import Row, fill
from benchmarks.timing import digits, interleave
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.train.machine.compiling import tune

RESULT = ASSETS / "measured" / "peers.json"
WORKS = ("train", "memory", "ddpm step", "ddim step", "ddpm overhead", "ddim overhead", "import")
SAMPLED = ("1 M", "10 M", "13.8 M")
ROUNDS = {"0.3 M": 7, "1 M": 7, "2.5 M": 5, "10 M": 3, "13.8 M": 3}


def memory_row(size: str, device: str, batch: int) -> Row:
    """Peak memory of a fresh process that trains two steps in float32, ours by the algorithm that is fastest."""
    mib, winograd = {}, fastest_of(size, device, batch).winograd
    for name in libraries():
        command = [
            sys.executable,
            "-m",
            "benchmarks.footprint",
            name,
            size,
            device,
            str(batch),
            str(winograd),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        mib[name] = float(done.stdout.split()[-1])
    row: Row = {name: digits(value) for name, value in mib.items()} | {"winograd": winograd}
    if len(mib) == 1:
        return {"unit": "MiB", **row, **others()[1]}
    ratio = min(value for name, value in mib.items() if name != "ours") / mib["ours"]
    return {"unit": "MiB", **row, **others()[1], "ratio": digits(ratio), "spread": [digits(ratio)] * 2}


IMPORTS = {
    "ours": "from ddpm_lib import data, diffusion, models, sampling, train",
    "diffusers": "from diffusers import DDPMScheduler, UNet2DModel; from accelerate import Accelerator",
    "lucidrains": "from benchmarks.networks import denoising_diffusion_pytorch as d; d()",
}


def import_row(rounds: int) -> Row:
    """Time of a fresh Python that imports what a training script needs (torch among it)."""

    def arm(code: str) -> Callable[[], object]:
        return partial(subprocess.run, [sys.executable, "-c", code], check=True)

    return compared(interleave({name: arm(IMPORTS[name]) for name in libraries()}, rounds))


def measure(key: Row, device: str, batch: int, quick: bool) -> Row:
    """The row of one kind of work at one size."""
    work, size = key["work"], key["size"]
    rounds = 1 if quick else ROUNDS.get(size, 9)
    if work == "train":
        return train_row(size, mnist().to(device), batch, rounds)
    if work == "memory":
        return memory_row(size, device, batch)
    if work == "import":
        return import_row(rounds)
    sampler, what = work.split()
    return (
        overhead_row(sampler, device, rounds)
        if what == "overhead"
        else sample_row(sampler, size, device, rounds)
    )


def plan(works: list[str], sizes: list[str]) -> list[Row]:
    """Every row in order, what is quick first."""
    keys = []
    for work in works:
        of_size = sizes if work in ("train", "memory") else [size for size in SAMPLED if size in sizes]
        keys += [
            {"work": work, "size": size}
            for size in (of_size if work.split()[-1] not in ("overhead", "import") else ["any"])
        ]
    return keys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", choices=WORKS, nargs="+", default=list(WORKS))
    parser.add_argument("--sizes", choices=list(SIZES), nargs="+", default=list(SIZES))
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default: 1)")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--batch", type=int, default=64, help="images a training step (default: 64)")
    parser.add_argument("--quick", action="store_true", help="one round of everything: a rehearsal")
    parser.add_argument("--resume", action="store_true", help="keep the rows that are measured already")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    tune(torch.device(args.device))  # TF32 for all alike
    head = {
        "what": "milliseconds (memory: MiB) of the same work; ratio: the better peer's over ours",
        "device": args.device if args.device == "cpu" else torch.cuda.get_device_name(),
        "batch": args.batch,
        "threads": args.threads,
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            **{
                name: importlib.metadata.version(name)
                for name in ("torch", "diffusers", "accelerate", "denoising-diffusion-pytorch")
                if find_spec(name.replace("-", "_"))
            },
        },
    }
    fill(
        args.out,
        head,
        plan(args.work, args.sizes),
        partial(measure, device=args.device, batch=args.batch, quick=args.quick),
        args.resume,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
