"""What test_processes.py runs in one process and in two: small runs whose losses and weights it compares."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ddpm_lib.cli.drawing import draw
from ddpm_lib.cli.walk import Route, walk_of
from ddpm_lib.data import Batches, ImageData
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.sampling import ddpm_step, timesteps
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import Machine, TrainConfig, TrainingError, start, train
from ddpm_lib.train.machine.processes import Processes, accelerated

NETWORK = UNetConfig(
    base=8, mults=(1, 2), blocks=1, heads=2, groups=1, activation="silu", classes=10, scale_shift=True
)
CONFIG = TrainConfig(steps=6, batch=64, lr=2e-3, every=1, seed=3)


def noise_data(n: int = 256) -> ImageData:
    """Random images of 8 x 8 with labels."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (n, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return ImageData(pixels, torch.arange(n) % 10, "noise")


def run(processes: Processes, **changes: Any) -> dict[str, Any]:
    """Losses, norms of weights and of their average after six steps; `dropout` goes to the network."""
    dropout, machine = changes.pop("dropout", 0.0), Machine(accumulate=changes.pop("accumulate", 1))
    config = replace(CONFIG, **changes)
    torch.manual_seed(0)
    state = start(build(replace(NETWORK, dropout=dropout)), config)
    batches = Batches(noise_data(), config.batch, config.seed, processes.rank, processes.world)
    progress = list(
        train(state.model, GaussianDiffusion(cosine_schedule(50)), batches, config, state, machine, processes)
    )
    weights = torch.cat([p.detach().flatten() for p in state.model.parameters()])
    average = torch.cat([p.flatten() for p in state.ema.average.parameters()])
    return {
        "losses": [p.loss for p in progress],
        "lrs": [p.lr for p in progress],
        "seconds": [p.seconds for p in progress],
        "weights": weights.tolist(),
        "average": average.tolist(),
        "apart": float((processes.first(weights) - weights).abs().max()),  # from the main process's
        "rng": state.generator.get_state().tolist(),
    }


def not_finite(processes: Processes) -> str:
    """What a run says when one image of the last process's third batch is not finite."""
    batches = Batches(noise_data(), 64, 0, processes.rank, processes.world)

    def spoiled(step: int) -> Any:
        x0, y = batches(step)
        return (x0 * float("nan") if step == 2 and processes.rank == processes.world - 1 else x0), y

    config = replace(CONFIG, every=4)
    try:
        list(
            train(
                build(NETWORK), GaussianDiffusion(cosine_schedule(50)), spoiled, config, processes=processes
            )
        )
    except TrainingError as error:
        return str(error)
    return "nothing"


def primitives(processes: Processes) -> dict[str, Any]:
    """What the processes's own words give here."""
    part = torch.arange(7)[processes.part(7)]
    return {
        "gathered": processes.gather(part[:, None].repeat(1, 2)).tolist(),
        "mean": processes.mean(torch.tensor([float(processes.rank), 1.0])).tolist(),
        "clock": processes.first(10.0 + processes.rank),
        "anyone": [processes.anyone(processes.rank == 1), processes.anyone(False), processes.anyone(True)],
        "main_first": processes.main_first(lambda: processes.rank),
    }


def drawn(processes: Processes) -> list[Any]:
    """Seven images by five steps of DDPM, from a network that has learnt a little."""
    torch.manual_seed(1)
    network = build(NETWORK).eval()
    torch.nn.init.normal_(network.last[-1].weight, std=0.1)
    y = torch.arange(7)
    diffusion = GaussianDiffusion(cosine_schedule(50))
    walk = walk_of(Route(timesteps(50, 5)), network, diffusion, (1, 8, 8), ddpm_step, processes.device)
    return draw(processes, walk, (1, 8, 8), range(7), y, batch=2, states=6).tolist()


def everything(processes: Processes) -> dict[str, Any]:
    """All that the tests compare."""
    return {
        "rank": processes.rank,
        "plain": run(processes),
        "pieces": run(processes, accumulate=2),
        "flipped": run(processes, flip=True, steps=2),
        "dropout": run(processes, dropout=0.3, accumulate=1 if processes.world == 2 else 2),
        "bounded": run(processes, steps=10_000, seconds=0.5, every=2),
        "not finite": not_finite(processes),
        "primitives": primitives(processes),
        "drawn": drawn(processes),
    }


def main(out: Path) -> None:
    """Every comparison of the tests, in one launch; each process writes what it saw."""
    processes = accelerated(cpu=True)
    (out / f"{processes.rank}.json").write_text(json.dumps(everything(processes)))
    processes.close()
