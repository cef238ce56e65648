"""Which small network, and which rate, draws readable digits after 1,200 steps of 32 images: what the page trains.

    OMP_NUM_THREADS=1 python -m benchmarks.digits_search

Each arm is trained in torch on the page's own 10,000 digits from three seeds. `named` is the share of 1,000 digits, the
classes in turn, that the course's classifier names as asked, and `distance` their Frechet distance to the test set;
DDIM with 25 steps, guidance 0.5. `multiplications` are those of a forward pass of one image. Rows that are there are
kept. Written to ddpm_lib/assets/measured/digits_search.json.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.arms import Drawn, Row, distance, draw, train_on
from benchmarks.machine import machine
from benchmarks.rows import fill
from ddpm_lib.data import ASSETS
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.schedule import SCHEDULES
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.machine.cost import cost
from ddpm_lib.widgets.digits.images import page_digits
from ddpm_lib.widgets.digits.recipe import DDIM_STEPS, GUIDANCE, NETWORK, SCHEDULE, TRAINING, T

RESULT = ASSETS / "measured" / "digits_search.json"
SAMPLES = 1_000
NETWORKS: dict[str, UNetConfig] = {
    "base 24": NETWORK,
    "base 16": replace(NETWORK, base=16),
    "base 32": replace(NETWORK, base=32),
}
# (network, rate): the rates of the network that the page has, then its neighbors at the best of them.
ARMS = [
    ("base 24", 8e-3),
    ("base 24", 4e-3),
    ("base 24", 2e-3),
    ("base 16", 8e-3),
    ("base 32", 8e-3),
]


def measure(key: Row) -> Row:
    """Train one arm from one seed and draw with it."""
    config, seed = NETWORKS[key["network"]], key["seed"]
    diffusion = GaussianDiffusion(SCHEDULES[SCHEDULE](T))
    torch.manual_seed(seed)
    training = TrainConfig(**{**TRAINING, "lr": key["lr"]}, seed=seed)
    last = train_on(build(config), diffusion, training, "cpu", data=page_digits())
    drawn = Drawn(SAMPLES, DDIM_STEPS, "cpu", GUIDANCE)
    x = draw(last.state.ema.average, diffusion, drawn)  # type: ignore[arg-type]
    counted = cost(config, 28)
    return {
        "parameters": counted.parameters,
        "multiplications": counted.flops // 2,
        "named": round(digit_classes(x, torch.arange(SAMPLES) % 10).agreement or 0, 4),
        "distance": distance(x),
        "loss": round(last.loss, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Small networks for the training in the page.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    head = {
        "what": f"share of {SAMPLES} digits named as asked after {TRAINING['steps']} steps of {TRAINING['batch']}",
        "machine": machine(),
        "training": {name: value for name, value in TRAINING.items() if name not in ("lr", "betas")},
        "ddim_steps": DDIM_STEPS,
        "guidance": GUIDANCE,
    }
    keys = [{"network": name, "lr": lr, "seed": seed} for seed in range(args.seeds) for name, lr in ARMS]
    fill(args.out, head, keys, measure, resume=True)


if __name__ == "__main__":
    main()
