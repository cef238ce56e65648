"""What to predict, and how to weigh it: four answers of a network under three weightings, two under each other's.

    OMP_NUM_THREADS=1 python -m benchmarks.predict

All arms of a seed begin with the same weights and see the same images, labels and noise; only what the network answers
and how its errors count differs. `distance` is `metrics.digit_distance` to the 10,000 test digits, `bits` the bound of
some test digits in bits per pixel, of which `last` is L_0. The chapter "What to predict, and how to weigh it" reads
the result: ddpm_lib/assets/measured/predict.json, and predict.png with ten digits of every network. It is written after
every network, and a second run measures only what is missing. (The one there was made with --width 32
--steps 2000 --samples 1024 --digits 64 --device cuda --jobs 7.)
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.arms import Key, Row, distance, run
from benchmarks.jobs import add_jobs
from ddpm_lib.bound import bits_per_dim, terms
from ddpm_lib.data import ASSETS, Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import generate
from ddpm_lib.further.precondition import Answer, Preconditioned, own_weight
from ddpm_lib.loss import draw_t, min_snr, t_weights, weighted_loss
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.sampling import Noise
from ddpm_lib.train.loop import descend
from ddpm_lib.train.presets import PRESETS
from ddpm_lib.train.state import TrainState, start

RESULT = ASSETS / "measured" / "predict.json"
PRESET = PRESETS["cpu-minutes"]
DIFFUSION = GaussianDiffusion(PRESET.noise_schedule())
SHAPE, SEEDS, SHOWN, DDIM_STEPS = (1, 28, 28), 3, 10, 20
SIGMA_DATA = 0.62  # standard deviation of the pixels of MNIST in [-1, 1]
ANSWERS: tuple[Answer, ...] = ("eps", "x0", "v", "edm")
TIMES = (1, 5, 10, 25, 50, 100, 200, 300, 400, 450, 480, 500)
WEIGHTINGS = ("plain", "min-snr", "lognormal")
# Weighting: the one answer that is trained so, and the other, whose plain loss it is given.
SWAPPED: dict[str, tuple[Answer, Answer]] = {
    "snr": ("x0", "eps"),
    "flat": ("eps", "x0"),
    "flat-480": ("eps", "x0"),
}


def network(width: int) -> UNet:
    """The network of `cpu-minutes` (32 feature maps at its first level) at that width, and without classes."""
    assert isinstance(PRESET.model, UNetConfig)
    return UNet(replace(PRESET.model, base=width, classes=0))


def recipe(answer: Answer, weighting: str) -> tuple[Tensor, Tensor]:
    """(the law of t, the weight of the squared error of x0_hat) of an arm.

    "plain" is the squared error of the answer itself with t uniform, "lognormal" the same with EDM's draw of sigma;
    "min-snr" is one and the same loss for all answers. "snr" is the plain loss of the noise and "flat" that of the
    image, whatever is answered; "flat-480" is that of the image where t is at most 480, and 0 above.
    """
    _, whose = SWAPPED.get(weighting, (answer, answer))
    own = own_weight(DIFFUSION.schedule, whose, SIGMA_DATA)
    if weighting == "flat-480":
        own[481:] = 0
    if weighting == "lognormal":
        return t_weights(DIFFUSION.schedule, "lognormal", mean=-1.2, std=1.2), own
    return t_weights(DIFFUSION.schedule), min_snr(DIFFUSION.schedule) if weighting == "min-snr" else own


def trained(key: Key, steps: int, width: int, device: str) -> tuple[UNet, float]:
    """The averaged weights of an arm and the seconds of its training."""
    config = replace(PRESET.train, steps=steps, seconds=None, seed=key["seed"])
    torch.manual_seed(config.seed)
    net = network(width)
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    law, weight = (table.float() for table in recipe(key["answer"], key["weighting"]))
    weight = weight.to(device)
    denoiser = Preconditioned(net.train(), DIFFUSION, key["answer"], SIGMA_DATA)
    state: TrainState = start(net, config)
    images = Batches(mnist().to(device), config.batch, config.seed)
    rng = torch.Generator().manual_seed(config.seed)  # on the CPU: the same draws on every device
    begun = time.perf_counter()
    for step in range(steps):
        x0, _ = images(step)
        t = draw_t(len(x0), law, rng).to(device)
        eps = torch.randn(x0.shape, generator=rng).to(device)
        state.optimizer.zero_grad()
        weighted_loss(denoiser, DIFFUSION, x0, t, eps, weight).backward()
        descend(state, config, step / steps)
    average = state.ema.average
    assert isinstance(average, UNet)
    return average, time.perf_counter() - begun


def errors(denoiser: Preconditioned, device: str, n: int = 128) -> dict[str, float]:
    """Mean squared error of x0_hat a pixel, by t, on test digits; JSON's keys are strings."""
    x0, eps = mnist(train=False).x0(slice(0, n)).to(device), Noise(range(n), SHAPE, device)()
    found = {}
    for t in (t for t in TIMES if t <= DIFFUSION.T):
        with torch.inference_mode():
            x0_hat = denoiser(DIFFUSION.q_sample(x0, t, eps), torch.full((n,), t, device=device))
        found[str(t)] = float(f"{float((x0_hat - x0).square().mean()):.4g}")
    return found


def measure(args: argparse.Namespace, key: Key) -> tuple[Row, Tensor]:
    """Train one network, draw with it, and code some test digits with it."""
    digits, device = args.digits, args.device
    net, seconds = trained(key, args.steps, args.width, device)
    denoiser = Preconditioned(net, DIFFUSION, key["answer"], SIGMA_DATA)
    x = torch.cat(
        list(generate(denoiser, DIFFUSION, SHAPE, range(args.samples), steps=DDIM_STEPS, device=device))
    )
    fresh = torch.Generator().manual_seed(0)
    x0 = mnist(train=False).x0(slice(0, digits)).to(device)
    nats = terms(
        denoiser, DIFFUSION, x0, lambda *shape: torch.randn(shape, generator=fresh), sigma2="beta"
    ).cpu()
    bits = bits_per_dim(nats.double(), x0[0].numel())
    row = {
        "distance": distance(x),
        "bits": round(float(bits.sum(0).mean()), 3),
        "bits_error": round(float(bits.sum(0).std()) / math.sqrt(digits), 3),
        "last": round(float(bits[0].mean()), 3),
        "errors": errors(denoiser, device),
        "seconds": round(seconds, 1),
    }
    return row, x


def main(argv: list[str] | None = None, until: float = math.inf) -> bool:
    """Measure what is missing; no arm is begun that would not end by `until` (see arms.run). True when none is left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=1000, help="optimizer steps a network (default: 1000)")
    parser.add_argument("--samples", type=int, default=512, help="digits drawn a network (default: 512)")
    parser.add_argument("--digits", type=int, default=32, help="test digits that are coded (default: 32)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"networks an arm (default: {SEEDS})")
    parser.add_argument("--width", type=int, default=16, help="feature maps of the first level (default: 16)")
    parser.add_argument("--answers", nargs="+", choices=ANSWERS, default=list(ANSWERS), help="(default: all)")
    add_jobs(parser)
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    args = parser.parse_args(argv)
    head = {
        "what": f"Frechet distance of {args.samples} digits to the test set, bits per pixel of {args.digits}",
        "steps": args.steps, "samples": args.samples, "digits": args.digits, "ddim": DDIM_STEPS,
        "parameters": sum(p.numel() for p in network(args.width).parameters()), "sigma_data": SIGMA_DATA,
    }  # fmt: skip
    keys = [
        {"seed": seed, "answer": answer, "weighting": weighting}
        for seed in range(args.seeds)
        for weighting in (*WEIGHTINGS, *SWAPPED)
        for answer in args.answers
        if weighting in WEIGHTINGS or answer == SWAPPED[weighting][0]
    ]
    return run(args.out, head, keys, partial(measure, args), SHOWN, until, args.jobs)


if __name__ == "__main__":
    sys.exit(not main())
