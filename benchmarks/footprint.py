"""Peak memory, in MiB, of a process that trains two steps with one library: see benchmarks/peers.py.

PYTHONPATH=.venv/bench python -m benchmarks.footprint diffusers "1 M" cpu 64 0
"""

from __future__ import annotations

import sys

import torch

from benchmarks.libraries import training
from benchmarks.memory import peak
from benchmarks.networks import SIZES
from ddpm_lib.data import ImageData

STEPS = 2


def main() -> int:
    library, size, device, batch, winograd = sys.argv[1:]
    torch.set_num_threads(1)
    pixels = torch.randint(0, 256, (2 * int(batch), 1, 28, 28), dtype=torch.uint8, device=device)
    data, of = ImageData(pixels, None, "noise"), int(winograd)
    step = training(library, SIZES[size], data, int(batch), "float32", channels_last=of > 0, winograd=of)
    for _ in range(STEPS):
        step()
    if device == "cuda":
        print(torch.cuda.max_memory_allocated() / 2**20)
    else:
        print(peak())
    return 0


if __name__ == "__main__":
    sys.exit(main())
