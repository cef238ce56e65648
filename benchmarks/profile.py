"""Where the time of a training step goes, at two sizes: ours, ours as it was before, and diffusers'.

    OMP_NUM_THREADS=1 python -m benchmarks.profile

Before: attention written out in three products, in the plain memory layout, and no Winograd convolutions. The work of
those now stands under matrix products, and sums and copies. A row holds the milliseconds of one step (the mean of
three, after one to warm up; 64 images, float32) spent in each kind of operation, by torch's profiler. It slows a step
a little: compare shares here, and times in benchmarks/peers.py.
"""

from __future__ import annotations

import argparse
import math
import sys
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks.machine import machine
from benchmarks.networks import BUILD, SHAPE, SIZES
from benchmarks.rows import Row, fill
from benchmarks.timing import digits
from ddpm_lib.data import ASSETS
from ddpm_lib.models import use_winograd
from ddpm_lib.models.blocks import Attention
from ddpm_lib.train.machine.probe import fastest

RESULT = ASSETS / "measured" / "profile.json"
TWO = ("0.3 M", "10 M")
WHAT = ("before", "ours", "diffusers")
STEPS, BATCH = 3, 64
KINDS = {  # the first that an operation's name holds
    "convolution, forward": ("mkldnn_convolution", "cudnn_convolution"),
    "convolution, backward": ("convolution_backward",),
    "matrix products": ("mm",),
    "attention": ("softmax", "scaled_dot_product"),
    "norm": ("group_norm",),
    "activation": ("silu", "leaky_relu"),
    "sums and copies": ("add", "copy_", "cat", "mul", "div", "clone"),
}


class WrittenOut(Attention):
    """The same layer from three products, each pixel's features first: what it was before."""

    def forward(self, x: Tensor) -> Tensor:
        """See Attention."""
        b, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w).unbind(1)
        weights = torch.softmax(q.transpose(-1, -2) @ k / math.sqrt(c // self.heads), dim=-1)
        out: Tensor = x + self.out((v @ weights.transpose(-1, -2)).reshape(b, c, h, w))
        return out


def kind(operation: str) -> str:
    """Which of KINDS an operation of torch's is; else "the rest"."""
    return next((name for name, parts in KINDS.items() if any(p in operation for p in parts)), "the rest")


def measure(key: Row, steps: int) -> Row:
    """Milliseconds of a step by kind of operation."""
    torch.manual_seed(0)
    network = BUILD["diffusers" if key["what"] == "diffusers" else "ours"](SIZES[key["size"]])
    xt, t = torch.randn(BATCH, *SHAPE), torch.randint(1, 500, (BATCH,))
    if key["what"] == "ours":
        use_winograd(network, fastest(network, xt).winograd)  # type: ignore[arg-type]
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        xt = xt.contiguous(memory_format=torch.channels_last)
    if key["what"] == "before":
        for module in network.modules():
            if isinstance(module, Attention):
                module.__class__ = WrittenOut
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=key["what"] != "diffusers")
    step = partial(one_step, network, optimizer, xt, t)
    step()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(steps):
            step()
    spent: dict[str, float] = dict.fromkeys([*KINDS, "the rest"], 0.0)
    for event in profiled.key_averages():
        spent[kind(event.key)] += event.self_cpu_time_total / 1000 / steps
    total = digits(sum(spent.values()))
    return {"unit": "ms", "total": total, **{name: digits(value) for name, value in spent.items()}}


def one_step(network: nn.Module, optimizer: torch.optim.Optimizer, xt: Tensor, t: Tensor) -> None:
    """Forward, backward, clip, update."""
    output = network(xt, t)
    F.mse_loss(output if isinstance(output, Tensor) else output.sample, xt).backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    head = {"what": "milliseconds of a training step by kind of operation", "machine": machine()}
    keys = [{"size": size, "what": what} for size in TWO for what in WHAT]
    fill(args.out, head, keys, partial(measure, steps=args.steps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
