"""What the rows of benchmarks/peers.py share, and the longest of them: a training step in every library."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F

from benchmarks.libraries import Arm, training
from benchmarks.networks import BUILD, LIBRARIES, SIZES, forward_flops, installed, parameters
from benchmarks.rows import Row
from benchmarks.timing import digits, interleave, spread
from ddpm_lib.data import ImageData, mnist
from ddpm_lib.train import Machine
from ddpm_lib.train.config import Precision
from ddpm_lib.train.machine.probe import fastest

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
TRIAL = 8  # images to find a precision with: where the processor has no bfloat16, more take minutes
STEPS = {"cpu": 1, "cuda": 50}  # steps a call: many where one is too short to time


@cache
def others() -> tuple[list[str], dict[str, str]]:
    """The other libraries that are installed; for each that is not, what to write in its place."""
    return installed(LIBRARIES[1:])


def libraries() -> list[str]:
    return ["ours", *others()[0]]


def compared(times: dict[str, list[float]]) -> Row:
    """Median milliseconds of each library, and our ratio to the better peer, round by round; or why one has none."""
    peers = [name for name in times if name != "ours"]
    row: Row = {"unit": "ms"} | {name: digits(1000 * spread(times[name])[0], 4) for name in times}
    row |= {name: why for name, why in others()[1].items() if name not in times}
    if not peers:
        return row
    better = min(peers, key=lambda peer: spread(times[peer])[0])
    ratios = [peer / own for peer, own in zip(times[better], times["ours"], strict=True)]
    ratio, low, high = spread(ratios)
    return row | {"ratio": digits(ratio), "spread": [digits(low), digits(high)], "rounds": len(ratios)}


@cache
def fastest_of(size: str, device: str, batch: int) -> Machine:
    """What the command line would choose for our network: measured once a size, for all kinds of work."""
    x0 = mnist().head(batch).x0().to(device)
    return fastest(BUILD["ours"](SIZES[size]).to(device), x0)  # type: ignore[arg-type]


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


def train_row(size: str, data: ImageData, batch: int, rounds: int) -> Row:
    """Time of a training step in each library, in its faster precision."""
    device = data.pixels.device.type
    steps = STEPS[device]
    ours = fastest_of(size, device, batch)
    chosen: dict[str, Precision] = {"ours": ours.precision}
    for peer in others()[0]:
        trial: dict[str, Arm] = {
            p: training(peer, SIZES[size], data, TRIAL, p, steps=steps) for p in PRECISIONS
        }
        times = interleave(trial, rounds=1, warm_up=0 if device == "cpu" else 1)
        chosen[peer] = min(PRECISIONS, key=lambda p: times[p][0])
    arms = {name: training(name, SIZES[size], data, batch, chosen[name], steps=steps) for name in others()[0]}
    own = {"channels_last": ours.channels_last, "winograd": ours.winograd}
    settings = {"precision": ours.precision, **own, "steps": steps}
    arms["ours"] = training("ours", SIZES[size], data, batch, **settings)  # type: ignore[arg-type]
    if "diffusers" in arms:
        arms["equal"] = training("diffusers", SIZES[size], data, batch, **settings)  # type: ignore[arg-type]
    peak = peak_arms(device, ours.precision)
    times = interleave({**arms, **{name: arm for name, (arm, _) in peak.items()}}, rounds)
    per_second = max(flops / spread(times[name])[0] for name, (_, flops) in peak.items())
    built = {name: BUILD[name](SIZES[size]) for name in libraries()}
    flops = {name: forward_flops(network) for name, network in built.items()}
    rate = 3 * flops["ours"] * batch * steps / spread(times["ours"])[0]
    equal = [peer / own for peer, own in zip(times.get("equal", ()), times["ours"], strict=False)]
    return {
        **compared({name: [s / steps for s in times[name]] for name in libraries()}),
        **({"equal": digits(spread(equal)[0])} if equal else {}),
        "settings": {**chosen, **own},
        "parameters": {name: parameters(network) for name, network in built.items()},
        "flops": flops,
        "flop_per_second": digits(rate),
        "peak_flop_per_second": digits(per_second),
        "share_of_peak": digits(rate / per_second),
    }
