"""`python -m ddpm_lib train`: the loop around a run, with its bar, its log and its checkpoints."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path

from ddpm_lib.cli.common import UsageError, at_the_door, processes_for, stop_on_interrupt, typed
from ddpm_lib.cli.fine_tune import Init, read_init
from ddpm_lib.cli.first_pass import fastest_here, first_pass
from ddpm_lib.cli.job import Job, read_job
from ddpm_lib.cli.keep import Keeper, stamp
from ddpm_lib.cli.lock import LOG, alone
from ddpm_lib.cli.loops import loop_for
from ddpm_lib.cli.memory import enough_memory, smaller_steps
from ddpm_lib.cli.plan import preset_of
from ddpm_lib.cli.preview import preview
from ddpm_lib.cli.watch import trim_log, until, watch
from ddpm_lib.data.stream import batches_of
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models.storage import CHECKPOINT, file_of
from ddpm_lib.train import start
from ddpm_lib.train.checkpoint import save_checkpoint
from ddpm_lib.train.machine.cost import cost
from ddpm_lib.train.machine.processes import Processes


def run(args: argparse.Namespace) -> None:
    """Train a preset's network or trained weights, or go on with a checkpoint; save as it goes."""
    init = read_init(args)
    named = f"runs/{preset_of(args, init.trained if init else None)}"
    folder = args.out or (file_of(args.resume).parent if args.resume else named)
    path = Path(folder) / CHECKPOINT

    def go_on() -> str:
        if path.is_file():
            again = f"`train --resume {typed(path)}`"
            return f"go on from the last checkpoint with {again}, on as many processes as you like."
        return "there is no checkpoint yet, so start again."

    with processes_for(args.device, go_on) as processes:
        _run(args, path, init, processes)


def _run(args: argparse.Namespace, path: Path, init: Init | None, processes: Processes) -> None:
    job = read_job(args, path, init, processes)
    with at_the_door():
        price = cost(job.plan.model, job.data.shape[-1])
    if args.dry_run:
        preview(job, price, args.precision)
        return
    if job.init:
        print(f"The run begins with {job.init}.")
    model = first_pass(job, price)
    with stop_on_interrupt(processes.is_main) as stopped, alone(path.parent, processes), _memory(job):
        config, machine, checkpoint = job.plan.train, job.plan.machine, job.checkpoint
        batches = batches_of(
            job.data, config.batch, config.seed, processes.device, processes.rank, processes.world
        )
        if stamp(path) != job.came_from:
            raise UsageError(
                f"{path} was written by another run meanwhile: go on with `train --resume {typed(path)}`."
            )
        if not checkpoint and args.precision is None:
            machine = fastest_here(model, job)
        state = checkpoint.resume(processes.device, config) if checkpoint else start(model, config)
        if processes.is_main:
            trim_log(path.parent / LOG, state.step)

        def save(place: Path) -> None:
            save_checkpoint(place, state, job.plan.schedule, config, job.about, machine, job.began)

        diffusion = GaussianDiffusion(job.plan.schedule)
        loop = loop_for(state.model, diffusion, job.data, config, machine, processes, state.step)
        run = loop(state.model, diffusion, until(stopped, batches, processes), config, state, machine)
        watch(run, Keeper(path, save, job.came_from), state, config, args.save_every, processes, stopped)


def _memory(job: Job) -> AbstractContextManager[None]:
    """Where memory runs out in training: what takes less of it."""
    batch, shape, processes = job.plan.train.batch, job.data.shape, job.processes
    size = None if job.checkpoint else shape[-1]
    less = smaller_steps(batch, job.plan.machine.accumulate, processes.world, size)
    return enough_memory(f"on {processes.device}, for batches of {batch} images of {shape}", less, job.path)
