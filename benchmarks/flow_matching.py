"""Flow matching against the course's own recipe: the same network, the same budget, the same noise and labels.

    OMP_NUM_THREADS=1 python -m benchmarks.flow_matching --steps 600

The arms are networks of the preset `cpu-minutes`, trained for fewer steps. Its recipe is to answer x0_hat, with the
squared error of that and log sigma ~ N(0, 1); flow matching is to answer the velocity of the straight path, with the
squared error of that and tau uniform. Either answer is trained with either weighting, from the same starts. A network
is judged by the Frechet distance of its digits to the test set against the calls of the network, and by how crooked
its paths are. The chapter "The probability flow" reads the result: ddpm_lib/assets/measured/flow_matching.json. It is
written after every network, beside a .png of digits, and a further run measures only what is missing. (The one there
was made with --steps 2000 --samples 1024 --device cuda --jobs 7.)
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.arms import Key, Row, reference, run
from benchmarks.jobs import add_jobs
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.denoiser import Denoiser
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.floor import real_floor
from ddpm_lib.evaluate.metrics import frechet_distance
from ddpm_lib.flow import DPMSolver2M, heun_step, noise_level, straight_timesteps
from ddpm_lib.further.names import (
    FromVelocity,
    rescale,
    sigma_at,
    straight,
    straightness,
    variance_preserving,
)
from ddpm_lib.loss import draw_t, t_weights
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.sampling import Step, ddim_step, ddpm_step, sample, timesteps
from ddpm_lib.train.loop import descend
from ddpm_lib.train.presets import PRESETS
from ddpm_lib.train.state import TrainState, start

RESULT = ASSETS / "measured" / "flow_matching.json"
PRESET = PRESETS["cpu-minutes"]
DIFFUSION = GaussianDiffusion(PRESET.noise_schedule())
SHAPE, SEEDS, CALLS = (1, 28, 28), (0, 1, 2), (1, 3, 5, 9, 19)
SHOWN = 10
# what the network answers, and how its error is weighted and its times are drawn
ARMS = {
    "ddpm": ("x0", "ddpm"),
    "flow": ("u", "flow"),
    "u weighted as ddpm": ("u", "ddpm"),
    "x0 weighted as flow": ("x0", "flow"),
}
DRAWS: dict[str, Any] = {"ddpm": "lognormal", "flow": "logistic"}
FULL = ("ddpm", "flow")  # the arms whose digits are drawn by every sampler

Batch = tuple[Tensor, Tensor, Tensor]  # x0, eps, y


def as_denoiser(net: nn.Module, answer: str) -> Denoiser:
    """The network for the samplers, whatever it answers."""
    return net if answer == "x0" else FromVelocity(net, DIFFUSION)  # type: ignore[return-value]


def fit(
    net: UNet, answer: str, weighting: str, steps: int, seed: int, batches: Callable[[int], Batch]
) -> UNet:
    """Train `net` for so many steps as cpu-minutes is trained; returns its average."""
    config = PRESET.train
    state: TrainState = start(net, config)
    rng = torch.Generator().manual_seed(seed)
    weights = t_weights(DIFFUSION.schedule, DRAWS[weighting]).float()
    denoiser = as_denoiser(net.train(), answer)
    for step in range(steps):
        x0, eps, y = batches(step)
        t = draw_t(len(x0), weights, rng).to(x0.device)
        dropped = torch.rand(len(x0), generator=rng).to(x0.device) < config.label_drop
        y = torch.where(dropped, net.config.classes, y)
        error = denoiser(DIFFUSION.q_sample(x0, t, eps), t, y) - x0
        if weighting == "flow":  # u_hat - u = (x0 - x0_hat) / tau
            error = error / straight(sigma_at(DIFFUSION, t, x0))[1].float()
        state.optimizer.zero_grad()
        error.square().mean().backward()
        descend(state, config, step / steps)
    average = state.ema.average
    assert isinstance(average, UNet)
    return average


def trained(arm: str, seed: int, steps: int, device: str) -> UNet:
    """The network of that arm: the same start, images, times' generator and noise for all arms of one seed."""
    torch.manual_seed(seed)
    assert isinstance(PRESET.model, UNetConfig)
    net = UNet(PRESET.model)
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = Batches(mnist().to(device), PRESET.train.batch, seed)
    rng = torch.Generator().manual_seed(1000 + seed)  # on the CPU: the same draws on every device

    def batches(step: int) -> Batch:
        x0, y = images(step)
        assert y is not None
        return x0, torch.randn(x0.shape, generator=rng).to(device), y

    return fit(net, *ARMS[arm], steps, seed, batches)


def draw(
    denoiser: Denoiser, n: int, step: Step, path: Sequence[int], device: str, clip: bool = True
) -> Iterator[Tensor]:
    """All states of so many digits, (steps + 1, b, 1, 28, 28), in batches, on the CPU."""
    for at in range(0, n, 64):
        seeds = range(at, min(at + 64, n))
        states = sample(
            denoiser, DIFFUSION, SHAPE, seeds=seeds, y=torch.tensor(seeds).to(device) % 10, step=step,
            steps=path, clip=clip, device=device,
        )  # fmt: skip
        yield torch.stack([state.xt for state in states]).cpu()


def samplers(arm: str) -> Iterator[tuple[str, int, Step, list[int]]]:
    """(name, calls, step, times) of every point of an arm's curves; Heun's method calls twice a step, but the last."""
    schedule, T = DIFFUSION.schedule, DIFFUSION.T
    for calls in CALLS:
        yield "straight", calls, ddim_step, straight_timesteps(schedule, calls)
        if arm in FULL:
            yield "ddpm", calls, ddpm_step, timesteps(T, calls)
            yield "dpm-solver++(2m)", calls, DPMSolver2M(), timesteps(T, calls)
            yield "ddim", calls, ddim_step, timesteps(T, calls)
            yield "heun", calls, heun_step, timesteps(T, (calls + 1) // 2)


def crooked(denoiser: Denoiser, device: str, n: int = 64) -> float:
    """Mean straightness of n paths on the straight path's own scale and clock, in 32 steps."""
    path = straight_timesteps(DIFFUSION.schedule, min(32, DIFFUSION.T))
    x = torch.cat(list(draw(denoiser, n, ddim_step, path, device, clip=False)), dim=1)
    sigma = noise_level(DIFFUSION.schedule)[path]
    x_tau = rescale(x, sigma.reshape(-1, 1, 1, 1, 1), variance_preserving, straight)
    return round(float(straightness(x_tau, straight(sigma)[1]).mean()), 5)


def measure(args: argparse.Namespace, key: Key) -> tuple[Row, Tensor]:
    """Train one network and draw with it."""
    arm, seed, n, device = key["arm"], key["seed"], args.samples, args.device
    begun = time.perf_counter()
    net = trained(arm, seed, args.steps, device)
    seconds = time.perf_counter() - begun
    denoiser = as_denoiser(net, ARMS[arm][0])
    row: Row = {"seconds": round(seconds, 1), "crooked": crooked(denoiser, device), "distance": {}}
    for name, calls, step, path in samplers(arm):
        x = torch.cat([walk[-1] for walk in draw(denoiser, n, step, path, device)])
        features = in_batches(digit_classifier().features, x)
        row["distance"].setdefault(name, {})[str(calls)] = round(frechet_distance(features, reference()), 2)
    walks = draw(denoiser, SHOWN, ddim_step, timesteps(DIFFUSION.T, min(50, DIFFUSION.T)), device)
    shown = torch.cat([walk[-1] for walk in walks])
    return row, shown


def main(argv: list[str] | None = None, until: float = math.inf) -> bool:
    """Measure what is missing; no arm is begun that would not end by `until` (see arms.run). True when none is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=600, help="optimizer steps a network (default: 600)")
    parser.add_argument("--samples", type=int, default=320, help="digits a point (default: 320)")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="networks an arm (default: 3)")
    parser.add_argument("--only", nargs="+", choices=tuple(ARMS), help="arms to measure now (default: all)")
    add_jobs(parser)
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    least = real_floor(args.samples, torch.arange(args.samples) % 10)
    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set against calls of the network",
        "preset": "cpu-minutes", "steps": args.steps, "samples": args.samples,
        "floor": {"mean": round(least.mean, 2), "spread": round(least.spread, 2)},
    }  # fmt: skip
    keys = [{"arm": arm, "seed": seed} for seed in range(args.seeds) for arm in args.only or ARMS]
    return run(args.out, head, keys, partial(measure, args), SHOWN, until, args.jobs)


if __name__ == "__main__":
    sys.exit(not main())
