"""Time to a Frechet distance: how soon each library's digits are as good as those of two other libraries.

    OMP_NUM_THREADS=1 python -m benchmarks.reach

Each library trains a network of about a million parameters on MNIST, without labels, with what it recommends:
diffusers its `UNet2DModel`, T = 1000, epsilon; denoising-diffusion-pytorch its `Unet`, T = 1000, sigmoid schedule, v;
we the recipe of the preset `cpu-minutes`, its network widened to the same number of parameters. Adam's step size is
1e-3 for the peers too, because a warm-up for hours would not end within minutes. At set times of training (seconds of
one core's work; drawing does not count) each draws 256 digits with its averaged weights and its own DDIM in 20 steps,
and their distance to the test digits is taken.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.libraries import train_diffusers, train_lucidrains
from benchmarks.machine import machine
from benchmarks.networks import BUILD, LIBRARIES, SHAPE, SIZES, forward_flops, parameters
from benchmarks.rows import Row, fill
from benchmarks.timing import digits
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import generate
from ddpm_lib.evaluate.metrics import digit_distance
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.train import Machine, TrainConfig, train
from ddpm_lib.train.presets import PRESETS

RESULT = ASSETS / "measured" / "reach.json"
TIMES = {"ours": (10, 20, 40, 80, 160), "diffusers": (75, 150), "lucidrains": (75, 150)}
BATCH, LR, WARMUP, STEPS = 64, 1e-3, 20, 20
SEEDS = (0, 1, 2)
MACHINE = Machine(channels_last=True)
Draw = Callable[[int], Tensor]  # so many digits in [-1, 1]


def ours(seed: int) -> tuple[torch.nn.Module, Iterator[Draw]]:
    """The recipe of `cpu-minutes` without labels, its network widened to a million parameters."""
    preset = PRESETS["cpu-minutes"]
    assert isinstance(preset.model, UNetConfig)
    network = UNet(replace(preset.model, base=40, classes=0))
    diffusion, batches = GaussianDiffusion(preset.noise_schedule()), Batches(mnist(), BATCH, seed)
    config = replace(preset.train, batch=BATCH, seconds=None, seed=seed, every=1)
    config = replace(config, steps=steps_within(max(TIMES["ours"]), network, diffusion, batches, config))

    def run() -> Iterator[Draw]:
        for progress in train(network, diffusion, batches, config, machine=MACHINE):
            average: Any = progress.state.ema.average
            yield partial(_ours, average, diffusion)

    return network, run()


def steps_within(
    seconds: float, network: UNet, diffusion: GaussianDiffusion, batches: Batches, config: TrainConfig
) -> int:
    """How many steps the run will have, for the decay of its learning rate: by the time of five on a copy."""
    trial = train(copy.deepcopy(network), diffusion, batches, config, machine=MACHINE)
    next(trial)
    begun = time.process_time()
    for _ in range(5):
        next(trial)
    return round(5 * seconds / (time.process_time() - begun))


def _ours(average: Any, diffusion: Any, n: int) -> Tensor:
    return torch.cat(list(generate(average, diffusion, SHAPE, range(n), steps=STEPS)))


def diffusers(seed: int) -> tuple[torch.nn.Module, Iterator[Draw]]:
    """diffusers' tutorial."""
    network = BUILD["diffusers"](SIZES["1 M"])
    loop = train_diffusers(network, mnist(), BATCH, "float32", False, LR, 1000, WARMUP)
    return network, (partial(_diffusers, network, ema) for ema in loop)


@torch.no_grad()
def _diffusers(network: Any, ema: Any, n: int) -> Tensor:
    from diffusers import DDIMScheduler

    schedule = DDIMScheduler(num_train_timesteps=1000)
    schedule.set_timesteps(STEPS)
    ema.store(network.parameters())
    ema.copy_to(network.parameters())
    parts = []
    for _ in range(n // BATCH):
        x = torch.randn(BATCH, *SHAPE)
        for t in schedule.timesteps:
            x = schedule.step(network(x, t).sample, t, x).prev_sample
        parts.append(x)
    ema.restore(network.parameters())
    return torch.cat(parts)


def lucidrains(seed: int) -> tuple[torch.nn.Module, Iterator[Draw]]:
    """denoising-diffusion-pytorch's README: its default objective and schedule."""
    network = BUILD["lucidrains"](SIZES["1 M"])
    how = {"objective": "pred_v", "sampling_timesteps": STEPS}
    loop = train_lucidrains(network, mnist(), BATCH, "float32", False, LR, 1000, **how)
    return network, (partial(_lucidrains, ema) for ema in loop)


@torch.no_grad()
def _lucidrains(ema: Any, n: int) -> Tensor:
    parts = [ema.ema_model.sample(batch_size=BATCH) for _ in range(n // BATCH)]
    return torch.cat(parts) * 2 - 1


def measure(key: Row, samples: int, times: dict[str, tuple[int, ...]]) -> Row:
    """Train one library's network from one seed, stopping at each of its times to draw and measure."""
    torch.manual_seed(key["seed"])
    network, run = {"ours": ours, "diffusers": diffusers, "lucidrains": lucidrains}[key["library"]](
        key["seed"]
    )
    flops = forward_flops(network)
    reference = mnist(train=False).x0()
    steps, spent, distances = 0, 0.0, []
    for seconds in times[key["library"]]:
        begun = time.process_time() - spent
        while spent < seconds and (one := next(run, None)):
            draw, steps = one, steps + 1
            spent = time.process_time() - begun
        network.eval()
        distances.append(digits(digit_distance(draw(samples), reference), 4))
        network.train()
    return {
        "parameters": parameters(network),
        "flops": flops,
        "steps": steps,
        "seconds": list(times[key["library"]]),
        "distance": distances,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=256, help="digits drawn at each time (default: 256)")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--quick", action="store_true", help="two seconds of everything: a rehearsal")
    parser.add_argument("--resume", action="store_true", help="keep the rows that are measured already")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    torch.set_num_threads(1)
    times: dict[str, tuple[int, ...]] = dict.fromkeys(TIMES, (1, 2)) if args.quick else TIMES
    head = {
        "what": "Frechet distance at set seconds of training",
        "samples": args.samples,
        "machine": machine(),
    }
    keys = [{"library": name, "seed": seed} for seed in SEEDS for name in args.libraries]
    fill(args.out, head, keys, partial(measure, samples=args.samples, times=times), args.resume)
    return 0


if __name__ == "__main__":
    sys.exit(main())
