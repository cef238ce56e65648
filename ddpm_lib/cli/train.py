"""`python -m ddpm_lib train`: the loop around a run, with its bar, its log and its checkpoints."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from ddpm_lib.checkpoint import About, kind_of, load_checkpoint, save_checkpoint
from ddpm_lib.cli.common import UsageError, clock, pick_device, print_config, stop_on_interrupt
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLPConfig, NetworkConfig, UNetConfig, build
from ddpm_lib.presets import PRESETS
from ddpm_lib.probe import fastest
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.stream import Images, batches_of, open_images
from ddpm_lib.train import Progress, TrainConfig, train

OVERRIDES = ("steps", "seconds", "batch", "lr", "seed", "precision")


def run(args: argparse.Namespace) -> None:
    """Train a preset, or go on with a checkpoint; save as it goes."""
    device = pick_device(args.device)
    checkpoint = load_checkpoint(args.resume) if args.resume else None
    source = args.data or (checkpoint.about.data if checkpoint else "mnist")
    data = open_images(source, size=args.size or (checkpoint.about.shape[-1] if checkpoint else None))
    about = About(source, data.shape, data.classes)
    if checkpoint:
        if (checkpoint.about.shape, checkpoint.about.classes) != (about.shape, about.classes):
            raise UsageError(
                f"{args.resume} was trained on {checkpoint.about.data} {checkpoint.about.shape}, and "
                f"{source} {about.shape} does not fit it: leave out --data and --size, or pass the same."
            )
        model_config, schedule = checkpoint.model_config, checkpoint.schedule
        config, out = checkpoint.train_config, Path(args.out or _folder(args.resume))
    else:
        name = args.preset or DEFAULT_PRESET[args.model]
        preset = PRESETS[name]
        if (kind := kind_of(preset.model)) != args.model:
            raise UsageError(f"The preset {name} is a {kind}: run `train {kind} --preset {name}`.")
        model_config, schedule = fit_to_data(preset.model, data), preset.noise_schedule()
        config, out = preset.train, Path(args.out or f"runs/{name}")
    config = replace(config, **{k: getattr(args, k) for k in OVERRIDES if getattr(args, k) is not None})
    if args.steps is not None and args.seconds is None:
        config = replace(config, seconds=None)  # so many steps, however long they take
    config = replace(config, every=min(config.every, 10))  # so that Ctrl-C is answered soon
    path = out / "checkpoint.safetensors"
    if path.exists() and not args.resume and not args.dry_run:
        raise UsageError(f"{path} exists: go on with `train --resume {path}`, or choose another --out.")

    torch.manual_seed(config.seed)
    model = build(model_config).to(device)
    with torch.no_grad():  # one image through the network: a size that does not fit is refused at once
        model(data.head(1).x0().to(device), torch.ones(1, dtype=torch.int64, device=device))
    if args.dry_run:
        print_config(
            model=model_config,
            parameters=f"{sum(p.numel() for p in model.parameters()):,}",
            schedule=f"{schedule.name}, T = {schedule.T}",
            train=config,
            precision=args.precision or (config.precision if checkpoint else "measured at the start"),
            data=about,
            images=f"{len(data):,}",
            device=device,
            checkpoint=path,
        )
        return
    if not checkpoint and args.precision is None:
        print("measuring which precision is fastest here (a few seconds) ...", end=" ", flush=True)
        config = fastest(model, data.head(32).x0().to(device), config)
        print(f"{config.precision}, {'channels last' if config.channels_last else 'channels first'}")
    state = checkpoint.resume(device, config) if checkpoint else None
    model = state.model if state else model
    batches = batches_of(data, config.batch, config.seed, device)
    if not checkpoint:
        (out / "loss.csv").unlink(missing_ok=True)  # of a run that left no checkpoint
    watch(
        train(model, GaussianDiffusion(schedule), batches, config, state),
        path,
        schedule,
        config,
        about,
        args.save_every,
    )


def _folder(resume: str) -> Path:
    return Path(resume) if Path(resume).is_dir() else Path(resume).parent


DEFAULT_PRESET = {"unet": "cpu-minutes", "resnet": "classic-resnet"}


def fit_to_data(config: NetworkConfig, data: Images) -> NetworkConfig:
    """The preset's network with the channels of these images and, where it has classes, theirs."""
    if isinstance(config, MLPConfig):
        raise UsageError("An MLP reads points, not images: choose unet or resnet.")
    config = replace(config, channels=data.shape[0])
    if isinstance(config, UNetConfig) and config.classes:
        config = replace(config, classes=len(data.classes))
    return config


def watch(
    run: Iterator[Progress],
    path: Path,
    schedule: NoiseSchedule,
    config: TrainConfig,
    about: About,
    save_every: float,
) -> None:
    """The progress bar, a checkpoint every `save_every` seconds, the loss in a file, and a gentle Ctrl-C."""
    path.parent.mkdir(parents=True, exist_ok=True)
    last: Progress | None = None
    saved = 0.0
    bar = tqdm(total=1000, bar_format="{percentage:3.0f}% {bar:24} {desc}", mininterval=0.5)
    with (path.parent / "loss.csv").open("a") as log, stop_on_interrupt() as stopped, bar:
        for last in run:
            log.write(f"{last.step},{last.loss:.6f},{last.seconds:.2f}\n")
            bar.set_description_str(describe(last), refresh=False)
            bar.update(round(1000 * last.share) - bar.n)
            if last.seconds - saved >= save_every:
                save_checkpoint(path, last.state, schedule, config, about)
                saved = last.seconds
            if stopped():
                break
    if last is None:
        print(f"The run of {path} is finished already: lengthen it with --steps or --seconds.")
        return
    save_checkpoint(path, last.state, schedule, config, about)
    verb = "Finished" if last.share >= 1 else "Stopped"
    print(f"{verb} after {last.step:,} steps in {clock(last.seconds)}, loss {last.loss:.4f}. Saved to {path}")
    if last.share < 1:
        print(f"Go on with:    python -m ddpm_lib train --resume {path}")
    print(f"Draw samples:  python -m ddpm_lib sample {path} --grid samples.png")


def describe(p: Progress) -> str:
    """One line for the progress bar."""
    speed = f"{p.images_per_second:.0f} images/s"
    return f"step {p.step:,}, loss {p.loss:.4f}, {speed}, {clock(p.seconds_left)} left"
