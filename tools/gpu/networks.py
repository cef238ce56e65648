"""The pieces that train a network and measure it."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import ladder
from benchmarks.arms import distance, machine_of, train_on
from ddpm_lib.assets import weights
from ddpm_lib.data import mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels, generate, with_guidance
from ddpm_lib.models import build, classes_of
from ddpm_lib.models.trained import About, Trained, export_weights, load_trained
from ddpm_lib.sampling import ddpm_step
from ddpm_lib.train import Progress, TrainConfig, TrainingError
from ddpm_lib.train.checkpoint import save_checkpoint
from ddpm_lib.train.presets import PRESETS
from tools.gpu.desk import Desk
from tools.ship import ship

TOLD = 10.0  # seconds between two lines of progress
KEPT = 8.0  # seconds that a training leaves for writing down what it has


def train(desk: Desk, preset_name: str, name: str, folder: str, seconds: float | None = None) -> None:
    """Train a preset and write its averaged weights, float16, to work/<folder>/<name>*.safetensors.

    A run whose loss is not finite begins once more, at half the learning rate.
    """
    begun = told = time.monotonic()
    preset = PRESETS[preset_name]
    config = preset.train if seconds is None else replace(preset.train, seconds=seconds)
    schedule = preset.noise_schedule()

    def stop(p: Progress) -> bool:
        nonlocal told
        if time.monotonic() - told > TOLD:
            told = time.monotonic()
            desk.say(
                f"{name}: step {p.step:,}, loss {p.loss:.4f}, {p.images_per_second:,.0f} images/s, "
                f"{p.seconds_left:.0f} s left"
            )
        return desk.left() < KEPT

    def run(config: TrainConfig) -> Progress:
        torch.manual_seed(config.seed)
        diffusion = GaussianDiffusion(schedule)
        return train_on(build(preset.model), diffusion, config, desk.device, say=desk.say, stop=stop)

    try:
        last = run(config)
    except TrainingError as lost:
        config = replace(config, lr=config.lr / 2)
        desk.say(f"{name}: {lost} It begins again at half the learning rate.")
        last = run(config)
    about = About("mnist", (1, 28, 28), tuple("0123456789"))
    whole, half = (
        desk.work / "scratch" / f"{name}.safetensors",
        desk.work / "scratch" / f"{name}-half.safetensors",
    )
    save_checkpoint(whole, last.state, schedule, config, about, machine_of(desk.device))
    export_weights(half, load_trained(whole), half=True)
    whole.unlink()
    (desk.work / folder).mkdir(parents=True, exist_ok=True)
    weights.install(half, name, desk.work / folder)
    desk.unfinished = last.share < 1
    epochs = last.step * config.batch / len(mnist())
    word = "cut short" if desk.unfinished else "trained"
    desk.say(
        f"{name}: {word} after {last.step:,} steps ({epochs:.1f} epochs), loss {last.loss:.4f}, in "
        f"{last.seconds:.1f} s; {time.monotonic() - begun:.1f} s with everything"
    )


def card(desk: Desk, name: str) -> None:
    """The shipped network's card and its grid of 64, from DDIM in 50 steps."""
    folder = desk.work / "weights"
    source = desk.work / "scratch" / f"{name}-half.safetensors"
    checkpoint = _shipped(folder, name)
    export_weights(source, checkpoint, half=True)
    steps = 4 if desk.tiny else min(50, checkpoint.schedule.T)
    samples, bits = (256, 2) if desk.tiny else (2048, 512)
    if ship(source, name, desk.hardware, folder, samples, steps, device=desk.device, bits=bits):
        raise RuntimeError(f"{name} could not be measured: the lines above say why.")


def every_step(desk: Desk, name: str) -> None:
    """One more row for the card: the distance of digits that are drawn by every step of DDPM."""
    path = desk.work / "weights" / f"{name}.md"
    checkpoint, n = _shipped(path.parent, name), 130 if desk.tiny else 2048
    network = with_guidance(checkpoint.network().to(desk.device, memory_format=torch.channels_last), 0.0)  # type: ignore[call-overload]
    half = torch.autocast("cuda", torch.bfloat16) if desk.device == "cuda" else nullcontext()
    y = class_labels(n, classes_of(checkpoint.model_config))
    how = {"step": ddpm_step, "steps": None, "batch": 512, "device": desk.device}
    with half:
        x = torch.cat(list(generate(network, checkpoint.diffusion, (1, 28, 28), range(n), y=y, **how)))  # type: ignore[arg-type]
    row = f"| Frechet distance, all {checkpoint.schedule.T} steps of DDPM | {distance(x.float()):.4g} |"
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("| Frechet distance |"))
    path.write_text("\n".join([*lines[: at + 1], row, *lines[at + 1 :]]) + "\n", encoding="utf-8")
    desk.say(row)


def rung(desk: Desk, name: str) -> None:
    """One rung's row in the ladder's table; and first the rows that say what is best and what comes for nothing."""
    quick = (
        ["--samples", "130", "--ddim", "4", "--bits", "2", "--losses", "4"]
        if desk.tiny
        else ["--bits", "512"]
    )
    where = ["--weights", str(desk.work / "ladder"), str(desk.work / "weights")]
    out = ["--out", str(desk.measured("ladder.json")), "--runs", str(desk.work / "scratch")]
    ladder.main(
        [
            "--rungs",
            name,
            "--device",
            desk.device,
            "--unfinished",
            "--on",
            desk.hardware,
            *where,
            *out,
            *quick,
        ]
    )
    rows = json.loads(desk.measured("ladder.json").read_text(encoding="utf-8"))["rows"]
    if not any(row["rung"] == name for row in rows):
        raise RuntimeError(f"{name} is not trained yet, so it cannot be measured.")


def trained_rung(desk: Desk, name: str) -> None:
    """Train a rung, then measure it."""
    train(desk, name, name, "ladder")
    rung(desk, name)


def _shipped(folder: Path, name: str) -> Trained:
    parts = weights.files(name, folder)
    if not parts:
        raise RuntimeError(f"{name} is not trained yet, so it cannot be measured.")
    return load_trained(*parts)
