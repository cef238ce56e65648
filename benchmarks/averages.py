"""Which average of the weights: one training at a constant rate, and several running averages of it.

    python -m benchmarks.averages --device cuda

The network and its training are the preset's, `classic-unet` unless told otherwise. `decay` is that of the average
(with the rule of train/ema.py for the first steps), 0 the last weights themselves; `distance` that of 2,048 digits,
DDIM in 50 steps. The chapter on the U-Net reads the result: ddpm_lib/assets/measured/averages.json.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from benchmarks.arms import distance, machine_of
from benchmarks.machine import machine
from benchmarks.rows import compact
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, generate
from ddpm_lib.models import Network, build, classes_of
from ddpm_lib.train import train
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.machine.compiling import tune
from ddpm_lib.train.machine.graph import train_graphed
from ddpm_lib.train.machine.quickest import Loop
from ddpm_lib.train.presets import PRESETS
from ddpm_lib.train.state import start

RESULT = ASSETS / "measured" / "averages.json"
DECAYS = (0.995, 0.999, 0.9995, 0.9998)


class Averages(EMA):
    """Several averages of one model, of which the first is the run's own."""

    def __init__(self, model: nn.Module, decays: tuple[float, ...]) -> None:
        super().__init__(model, decays[0])
        self.others = [EMA(model, decay) for decay in decays[1:]]

    def update(self, model: nn.Module, step: int) -> None:
        """Update all."""
        super().update(model, step)
        for other in self.others:
            other.update(model, step)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--preset", default="classic-unet", choices=PRESETS)
    parser.add_argument("--steps", type=int, help="(default: the preset's)")
    parser.add_argument(
        "--rate", choices=("none", "cosine"), help="how the learning rate falls (default: the preset's)"
    )
    parser.add_argument("--samples", type=int, default=2048, help="digits drawn with each (default: 2048)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    preset, cuda = PRESETS[args.preset], args.device == "cuda"
    config = replace(preset.train, steps=args.steps or preset.train.steps, seconds=None)
    config = replace(config, decay=args.rate or config.decay)
    tune(torch.device(args.device))
    torch.backends.cudnn.benchmark = cuda
    torch.manual_seed(config.seed)
    diffusion = GaussianDiffusion(preset.noise_schedule())
    state = start(build(preset.model).to(args.device), config)
    averages = Averages(state.model, DECAYS)
    state.ema = averages
    loop: Loop = train_graphed if cuda else train
    batches = Batches(mnist().to(args.device), config.batch, config.seed)
    for progress in loop(state.model, diffusion, batches, config, state, machine_of(args.device)):
        if progress.step % 1000 < config.every:
            print(f"step {progress.step:,}, loss {progress.loss:.4f}", flush=True)
    kept = [averages, *averages.others]
    networks: dict[float, nn.Module] = {0.0: state.model, **{each.decay: each.average for each in kept}}
    y = class_labels(args.samples, classes_of(preset.model))
    rows = []
    for decay, network in sorted(networks.items()):
        rows.append({"decay": decay, "distance": _distance(network.eval(), diffusion, args, y)})  # type: ignore[arg-type]
        print(rows[-1], flush=True)
    head = {
        "what": f"Frechet distance of {args.samples} digits (DDIM, 50 steps) by the decay of the average",
        "preset": args.preset,
        "steps": config.steps,
        "rate": config.decay,
        "machine": machine(),
    }
    args.out.write_text(compact({**head, "rows": rows}) + "\n", encoding="utf-8")
    return 0


def _distance(
    network: Network, diffusion: GaussianDiffusion, args: argparse.Namespace, y: torch.Tensor | None
) -> float:
    cuda = args.device == "cuda"
    how = {"steps": min(50, diffusion.T), "batch": 512 if cuda else 64, "device": args.device}
    with torch.autocast("cuda", torch.bfloat16) if cuda else nullcontext():
        x = torch.cat(list(generate(network, diffusion, (1, 28, 28), range(args.samples), y=y, **how)))
    return distance(x.float())


if __name__ == "__main__":
    sys.exit(main())
