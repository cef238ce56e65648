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
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.libraries import Arm, sampling, training
from benchmarks.machine import machine
from benchmarks.networks import BUILD, LIBRARIES, SHAPE, SIZES, forward_flops, installed, parameters
from benchmarks.rows import Row, fill
from benchmarks.timing import digits, interleave, spread
from ddpm_lib.data import ASSETS, ImageData, mnist
from ddpm_lib.models import use_winograd
from ddpm_lib.train import Machine
from ddpm_lib.train.config import Precision
from ddpm_lib.train.machine.compiling import compile_network, tune
from ddpm_lib.train.machine.probe import fastest

RESULT = ASSETS / "measured" / "peers.json"
WORKS = ("train", "memory", "ddpm step", "ddim step", "ddpm overhead", "ddim overhead", "import")
SAMPLED = ("1 M", "10 M", "13.8 M")
ROUNDS = {"0.3 M": 7, "1 M": 7, "2.5 M": 5, "10 M": 3, "13.8 M": 3}
TRIAL = 8  # images to find a precision with: where the processor has no bfloat16, more take minutes
STEPS = {"cpu": 1, "cuda": 50}  # steps a call: many where one is too short to time


def peak_arms(device: str, precision: Precision) -> dict[str, tuple[Arm, float]]:
    """A large matrix product and a large convolution, with the FLOPs of each: what the machine can do."""
    n = 1536 if device == "cpu" else 8192
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a = torch.randn(n, n, device=device, dtype=dtype)
    x = torch.randn(64, 192, 14, 14, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    w = torch.randn(192, 192, 3, 3, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    return {
        "matrix product": (lambda: a @ a, 2.0 * n**3),
        "convolution": (lambda: F.conv2d(x, w, padding=1), 2.0 * x.numel() * 192 * 9),
    }


@cache
def _fastest(size: str, device: str, batch: int) -> Machine:
    """What the command line would choose for our network: measured once a size, for all kinds of work."""
    x0 = mnist().head(batch).x0().to(device)
    return fastest(BUILD["ours"](SIZES[size]).to(device), x0)  # type: ignore[arg-type]


def train_row(size: str, data: ImageData, batch: int, rounds: int) -> Row:
    """Time of a training step in each library, in its faster precision."""
    device = data.pixels.device.type
    steps = STEPS[device]
    ours = _fastest(size, device, batch)
    chosen: dict[str, Precision] = {"ours": ours.precision}
    for peer in _peers()[0]:
        trial: dict[str, Arm] = {
            p: training(peer, SIZES[size], data, TRIAL, p, steps=steps) for p in PRECISIONS
        }
        times = interleave(trial, rounds=1, warm_up=0 if device == "cpu" else 1)
        chosen[peer] = min(PRECISIONS, key=lambda p: times[p][0])
    arms = {name: training(name, SIZES[size], data, batch, chosen[name], steps=steps) for name in _peers()[0]}
    own = {"channels_last": ours.channels_last, "winograd": ours.winograd}
    settings = {"precision": ours.precision, **own, "steps": steps}
    arms["ours"] = training("ours", SIZES[size], data, batch, **settings)  # type: ignore[arg-type]
    if "diffusers" in arms:
        arms["equal"] = training("diffusers", SIZES[size], data, batch, **settings)  # type: ignore[arg-type]
    peak = peak_arms(device, ours.precision)
    times = interleave({**arms, **{name: arm for name, (arm, _) in peak.items()}}, rounds)
    per_second = max(flops / spread(times[name])[0] for name, (_, flops) in peak.items())
    built = {name: BUILD[name](SIZES[size]) for name in _libraries()}
    flops = {name: forward_flops(network) for name, network in built.items()}
    rate = 3 * flops["ours"] * batch * steps / spread(times["ours"])[0]
    equal = [peer / own for peer, own in zip(times.get("equal", ()), times["ours"], strict=False)]
    return {
        **compared({name: [s / steps for s in times[name]] for name in _libraries()}),
        **({"equal": digits(spread(equal)[0])} if equal else {}),
        "settings": {**chosen, **own},
        "parameters": {name: parameters(network) for name, network in built.items()},
        "flops": flops,
        "flop_per_second": digits(rate),
        "peak_flop_per_second": digits(per_second),
        "share_of_peak": digits(rate / per_second),
    }


def sample_row(sampler: str, size: str, device: str, rounds: int) -> Row:
    """Time of one step of the sampler with 64 images, float32, the networks as the libraries build them."""
    steps = 40 if device == "cuda" else 4 if size == "1 M" else 2
    networks = {name: BUILD[name](SIZES[size]).to(device).eval() for name in _libraries()}
    networks["ours"].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    use_winograd(networks["ours"], _fastest(size, device, 64).winograd)
    if device == "cuda":
        compile_network(networks["ours"])
    arms = {name: sampling(name, network, sampler, 64, steps, device) for name, network in networks.items()}
    return per_step(arms, steps, rounds)


class Idle(nn.Module):
    """A network that answers at once, with one and the same tensor: what is left is the sampler's own work."""

    predicts, channels, out_dim, self_condition = "eps", 1, 1, False

    def __init__(self, answer: Tensor, wrapped: bool) -> None:
        super().__init__()
        self.answer, self.wrapped = answer, wrapped
        self.dtype = torch.float32

    def forward(self, *inputs: Any) -> Any:
        """The same for any input; diffusers' networks wrap it in an object with `sample`."""
        return self if self.wrapped else self.answer

    @property
    def sample(self) -> Tensor:
        """As diffusers reads it."""
        return self.answer


def overhead_row(sampler: str, device: str, rounds: int) -> Row:
    """Time that a sampler's step takes besides the network, with 64 images."""
    steps = 40
    answer = torch.randn(64, *SHAPE, device=device)
    arms = {
        name: sampling(name, Idle(answer, name == "diffusers"), sampler, 64, steps, device)
        for name in _libraries()
    }
    return per_step(arms, steps, rounds)


def per_step(arms: dict[str, Arm], steps: int, rounds: int) -> Row:
    times = interleave(arms, rounds)
    return compared({name: [s / steps for s in values] for name, values in times.items()})


def memory_row(size: str, device: str, batch: int) -> Row:
    """Peak memory of a fresh process that trains two steps in float32, ours by the algorithm that is fastest."""
    mib, winograd = {}, _fastest(size, device, batch).winograd
    for name in _libraries():
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
        return {"unit": "MiB", **row, **_peers()[1]}
    ratio = min(value for name, value in mib.items() if name != "ours") / mib["ours"]
    return {"unit": "MiB", **row, **_peers()[1], "ratio": digits(ratio), "spread": [digits(ratio)] * 2}


IMPORTS = {
    "ours": "from ddpm_lib import data, diffusion, models, sampling, train",
    "diffusers": "from diffusers import DDPMScheduler, UNet2DModel; from accelerate import Accelerator",
    "lucidrains": "from benchmarks.networks import denoising_diffusion_pytorch as d; d()",
}


def import_row(rounds: int) -> Row:
    """Time of a fresh Python that imports what a training script needs (torch among it)."""

    def arm(code: str) -> Callable[[], object]:
        return partial(subprocess.run, [sys.executable, "-c", code], check=True)

    return compared(interleave({name: arm(IMPORTS[name]) for name in _libraries()}, rounds))


def compared(times: dict[str, list[float]]) -> Row:
    """Median milliseconds of each library, and our ratio to the better peer, round by round; or why one has none."""
    peers = [name for name in times if name != "ours"]
    row: Row = {"unit": "ms"} | {name: digits(1000 * spread(times[name])[0], 4) for name in times}
    row |= {name: why for name, why in _peers()[1].items() if name not in times}
    if not peers:
        return row
    better = min(peers, key=lambda peer: spread(times[peer])[0])
    ratios = [peer / own for peer, own in zip(times[better], times["ours"], strict=True)]
    ratio, low, high = spread(ratios)
    return row | {"ratio": digits(ratio), "spread": [digits(low), digits(high)], "rounds": len(ratios)}


@cache
def _peers() -> tuple[list[str], dict[str, str]]:
    """The other libraries that are installed; for each that is not, what to write in its place."""
    return installed(LIBRARIES[1:])


def _libraries() -> list[str]:
    return ["ours", *_peers()[0]]


PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


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
