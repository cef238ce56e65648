"""What is wrong with the first ResNet: one channel, a narrow view, no time? Each repaired, alone and together.

    OMP_NUM_THREADS=1 python -m benchmarks.resnet_table

Eight ResNets of four blocks, all else equal: 1 or 16 feature maps, plain or dilated convolutions (a view of 17 pixels,
or of the whole image), told the time or not. Each is trained as the classic experiment is, with fewer steps, and draws
digits with DDIM; `distance` is `metrics.digit_distance` to the 10,000 test digits. The result is read by the chapter on
the ResNet, so it is part of the package: ddpm_lib/assets/measured/resnet.json. The file is written after every network,
and a second run measures only what is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.machine import machine
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.generate import generate, tile
from ddpm_lib.metrics import digit_distance
from ddpm_lib.models import ResNetConfig, build
from ddpm_lib.presets import CLASSIC
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import train

RESULT = ASSETS / "measured" / "resnet.json"
WIDTH, BLOCKS, T, DDIM_STEPS = 16, 4, 500, 50
SHOWN = 12  # images of each network in resnet.png


def measure(config: ResNetConfig, steps: int, samples: int, device: str) -> tuple[dict[str, float], Tensor]:
    """Train one network, draw with it, and measure; the first of what it drew come along."""
    torch.manual_seed(0)
    model = build(config).to(device)
    diffusion = GaussianDiffusion(linear_schedule(T))
    trained = None
    begun = time.perf_counter()
    for progress in train(
        model, diffusion, Batches(mnist().to(device), CLASSIC.batch), replace(CLASSIC, steps=steps)
    ):
        trained = progress
    assert trained is not None
    seconds = time.perf_counter() - begun
    network = build(config).to(device).eval()
    network.load_state_dict(trained.state.ema.average.state_dict())
    x = torch.cat(
        list(generate(network, diffusion, (1, 28, 28), range(samples), steps=DDIM_STEPS, device=device))
    )
    row = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": round(trained.loss, 4),
        "distance": round(digit_distance(x, mnist(train=False).x0()), 1),
        "seconds": round(seconds, 1),
    }
    return row, x[:SHOWN]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1000, help="training steps a network (default: 1000)")
    parser.add_argument("--samples", type=int, default=1024, help="digits drawn a network (default: 1024)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args()

    result: dict[str, Any] = {
        "what": f"Frechet distance of {args.samples} digits to the test set, on the course's digit classifier",
        "steps": args.steps,
        "batch": CLASSIC.batch,
        "samples": args.samples,
        "machine": {**machine(), "threads": torch.get_num_threads()},
        "rows": [],
    }
    if args.out.is_file():
        before = json.loads(args.out.read_text(encoding="utf-8"))
        if all(before[key] == result[key] for key in ("steps", "batch", "samples")):
            result["rows"] = before["rows"]
    done = {(row["width"], row["dilate"], row["time"]) for row in result["rows"]}
    for wide, dilate, timed in product((False, True), repeat=3):
        key = {"width": WIDTH if wide else 1, "dilate": dilate, "time": timed}
        if tuple(key.values()) in done:
            continue
        config = ResNetConfig(width=WIDTH if wide else 0, blocks=BLOCKS, dilate=dilate, time=timed)
        figures, x = measure(config, args.steps, args.samples, args.device)
        row = {**key, **figures}
        args.out.parent.mkdir(parents=True, exist_ok=True)
        # The pictures of all networks so far, a row each, beside the figures.
        pictures = args.out.with_suffix(".png")
        above = np.array(Image.open(pictures)) if result["rows"] else np.empty((0, 28 * SHOWN), np.uint8)
        Image.fromarray(np.concatenate([above, tile(x, SHOWN, pad=0).squeeze(-1)])).save(
            pictures, optimize=True
        )
        result["rows"].append(row)
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
