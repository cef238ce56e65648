"""`python -m ddpm_lib train`: the loop around a run, with its bar, its log and its checkpoints."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import torch

from ddpm_lib.cli.common import (
    UsageError,
    at_the_door,
    print_config,
    processes_for,
    stop_at_once,
    stop_on_interrupt,
    typed,
)
from ddpm_lib.cli.keep import Keeper, stamp
from ddpm_lib.cli.lock import LOG, alone
from ddpm_lib.cli.loops import loop_for
from ddpm_lib.cli.memory import enough_memory, smaller_steps
from ddpm_lib.cli.plan import plan, preset_of
from ddpm_lib.cli.resume import check_data, check_resume
from ddpm_lib.cli.watch import trim_log, until, watch
from ddpm_lib.data.stream import Images, batches_of, open_images
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import Network, build
from ddpm_lib.models.place import check_place
from ddpm_lib.models.storage import CHECKPOINT, file_of
from ddpm_lib.models.trained import About
from ddpm_lib.train import Machine, TrainConfig, start
from ddpm_lib.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ddpm_lib.train.loop import check_batch
from ddpm_lib.train.machine.compiling import can_compile
from ddpm_lib.train.machine.cost import TRAINING, Cost, cost, training_bytes
from ddpm_lib.train.machine.probe import fastest
from ddpm_lib.train.machine.processes import Processes

# Operations of a pass that a user is told of before they begin, and what a processor core does in a second.
HEAVY, CORE = 1e13, 1e11


def run(args: argparse.Namespace) -> None:
    """Train a preset, or go on with a checkpoint; save as it goes."""
    folder = args.out or (file_of(args.resume).parent if args.resume else f"runs/{preset_of(args)}")
    path = Path(folder) / CHECKPOINT

    def go_on() -> str:
        if path.is_file():
            again = f"`train --resume {typed(path)}`"
            return f"go on from the last checkpoint with {again}, on as many processes as you like."
        return "there is no checkpoint yet, so start again."

    with processes_for(args.device, go_on) as processes:
        _run(args, path, processes)


def _run(args: argparse.Namespace, path: Path, processes: Processes) -> None:
    came_from = stamp(path)
    checkpoint = load_checkpoint(args.resume) if args.resume else None
    _check_places(args, path, checkpoint)
    source = args.data or (checkpoint.about.data if checkpoint else "mnist")
    size = args.size or (checkpoint.about.shape[-1] if checkpoint else None)
    channels = args.channels or (checkpoint.about.shape[0] if checkpoint else None)
    write = not args.dry_run
    data = processes.main_first(
        lambda: open_images(
            source, size=size, channels=channels, skip_bad=args.skip_bad, write=write, say=print
        )
    )
    about = About(source, data.shape, data.classes)
    if checkpoint:
        check_data(checkpoint, about, args.resume)
    chosen = plan(args, data, checkpoint)
    config, machine = chosen.train, chosen.machine
    check_batch(config.batch, machine, processes)

    less = smaller_steps(
        config.batch, machine.accumulate, processes.world, None if checkpoint else data.shape[-1]
    )
    work = f"on {processes.device}, for batches of {config.batch} images of {data.shape}"
    memory = partial(enough_memory, work, less, path)
    one_fits = partial(
        enough_memory,
        f"on {processes.device}, for one image of {data.shape} alone",
        "close other programs"
        if checkpoint
        else "pass a smaller --size, a smaller --width, or another --preset",
    )
    torch.manual_seed(config.seed)
    # One image through the network, its shapes alone and then for real: what does not fit is refused.
    with at_the_door():
        price = cost(chosen.model, data.shape[-1])
    with torch.no_grad(), at_the_door(), one_fits():
        if not args.dry_run:
            if processes.is_main:
                _warn(price)
            model = build(chosen.model).to(processes.device)
            first = torch.ones(1, dtype=torch.int64, device=processes.device)
            model(data.head(1).x0().to(processes.device), first)
        if machine.compile:
            can_compile(processes.device)
    if args.dry_run:
        few = (
            ""
            if config.batch <= len(data)
            else f", too few for a batch of {config.batch}: the run will refuse"
        )
        print_config(
            model=chosen.model,
            parameters=f"{price.parameters:,}",
            schedule=f"{chosen.schedule.name}, T = {chosen.schedule.T}",
            train=config,
            machine=machine,
            step=_step(price, config, machine, processes),
            precision=args.precision or (machine.precision if checkpoint else "measured at the start"),
            data=about,
            images=f"{len(data):,}{few}",
            device=processes.device,
            processes=processes.world,
            checkpoint=path,
        )
        return
    with stop_on_interrupt(processes.is_main) as stopped, alone(path.parent, processes), memory():
        batches = batches_of(
            data, config.batch, config.seed, processes.device, processes.rank, processes.world
        )
        if stamp(path) != came_from:
            raise UsageError(
                f"{path} was written by another run meanwhile: go on with `train --resume {typed(path)}`."
            )
        if not checkpoint and args.precision is None:
            machine = _measured(model, data, config.batch, machine, processes)
        state = checkpoint.resume(processes.device, config) if checkpoint else start(model, config)
        if processes.is_main:
            trim_log(path.parent / LOG, state.step)

        def save(place: Path) -> None:
            save_checkpoint(place, state, chosen.schedule, config, about, machine)

        diffusion = GaussianDiffusion(chosen.schedule)
        loop = loop_for(state.model, diffusion, data, config, machine, processes, state.step)
        run = loop(state.model, diffusion, until(stopped, batches, processes), config, state, machine)
        watch(run, Keeper(path, save, came_from), state, config, args.save_every, processes, stopped)


def _check_places(args: argparse.Namespace, path: Path, checkpoint: Checkpoint | None) -> None:
    """Raise UsageError or PlaceError where the run would overwrite another, or could not be written."""
    if checkpoint:
        check_resume(args, checkpoint)
    elif path.exists() and not args.dry_run:
        raise UsageError(
            f"{path} exists: go on with `train --resume {typed(path)}`, or choose another --out."
        )
    if args.resume and path.exists() and not path.samefile(file_of(args.resume)):
        raise UsageError(
            f"{path} is another run's checkpoint and would be overwritten: choose another --out, or leave it out to go "
            f"on in {file_of(args.resume).parent}."
        )
    check_place(path.parent, folder=True)
    check_place(path)


def _warn(price: Cost) -> None:
    """Say so before a pass that takes minutes."""
    if price.flops > HEAVY:
        print(
            f"One image is {price.flops:.1e} operations per pass, on a processor core some "
            f"{price.flops / CORE / 60:,.0f} minutes: a smaller --size, or fewer feature maps (--width), take less.",
            flush=True,
        )


def _step(price: Cost, config: TrainConfig, machine: Machine, processes: Processes) -> str:
    """The operations of a step, and what a process holds while it computes one microbatch of it."""
    images = -(-config.batch // (processes.world * machine.accumulate))
    half = machine.precision == "bfloat16"
    flops = TRAINING * price.flops * config.batch
    return f"{flops:.2g} operations, {training_bytes(price, images, half) / 1e9:.2g} GB of memory"


def _measured(model: Network, data: Images, batch: int, machine: Machine, processes: Processes) -> Machine:
    """What is fastest here: the main process measures while the others wait, and all take its answer."""
    print(
        "measuring what is fastest here (seconds, or a minute or two for a large network; not with --precision) ...",
        end=" ",
        flush=True,
    )
    if processes.is_main:
        x0 = data.head(batch // processes.world).x0().to(processes.device)
        with stop_at_once():
            machine = fastest(model, x0, machine)
    machine = processes.first(machine)
    algorithm = (
        f", Winograd's convolutions from {machine.winograd} feature maps on" if machine.winograd else ""
    )
    print(f"{machine.precision}, {'channels last' if machine.channels_last else 'channels first'}{algorithm}")
    return machine
