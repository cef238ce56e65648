"""Train a small network plain and compiled, and print both losses: tests/test_fast.py runs this in a fresh Python.

There the shapes are not checked while it runs, because torch's compiler cannot look through that check.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from ddpm_lib.data import Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.trained import About
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, TrainConfig, train
from ddpm_lib.train.checkpoint import save_checkpoint

SMALL = UNetConfig(base=8, mults=(1,), blocks=1, groups=1, activation="silu", classes=10)
# Winograd's convolutions serve the plain run and not the compiled one.
CONFIG = TrainConfig(steps=6, batch=4, lr=1e-3, every=1)


def run(compile, folder):
    torch.manual_seed(0)
    machine = Machine(compile=compile, winograd=8)
    schedule = linear_schedule(100)
    progress = list(
        train(
            UNet(SMALL),
            GaussianDiffusion(schedule),
            Batches(mnist(False), CONFIG.batch),
            CONFIG,
            machine=machine,
        )
    )
    save_checkpoint(
        folder / f"{compile}.safetensors",
        progress[-1].state,
        schedule,
        CONFIG,
        About(classes=tuple("0123456789")),
        machine,
    )
    return [p.loss for p in progress]


# Dynamo and AOTAutograd do their part; the kernels stay torch's own, for generating C++ takes a minute.
real = nn.Module.compile
nn.Module.compile = lambda self, mode, dynamic: real(self, backend="aot_eager", dynamic=dynamic)

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    losses = {"plain": run(False, folder), "compiled": run(True, folder)}
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    print(json.dumps({**losses, "graphs": graphs}))
