"""`train --dry-run`: every setting of a run, what a step of it costs, and nothing computed or written."""

from __future__ import annotations

from ddpm_lib.cli.common import at_the_door, print_config
from ddpm_lib.cli.job import Job
from ddpm_lib.train.machine.compiling import can_compile
from ddpm_lib.train.machine.cost import TRAINING, Cost, training_bytes


def preview(job: Job, price: Cost, precision: str | None) -> None:
    """Print them; `precision` is the one that the command line names."""
    chosen, batch, found = job.plan, job.plan.train.batch, len(job.data)
    if chosen.machine.compile:
        with at_the_door():
            can_compile(job.processes.device)
    few = "" if batch <= found else f", too few for a batch of {batch}: the run will refuse"
    print_config(
        init=_init(job),
        model=chosen.model,
        parameters=f"{price.parameters:,}",
        schedule=f"{chosen.schedule.name}, T = {chosen.schedule.T}",
        train=chosen.train,
        machine=chosen.machine,
        step=_step(job, price),
        precision=precision or (chosen.machine.precision if job.checkpoint else "measured at the start"),
        data=job.about,
        images=f"{found:,}{few}",
        device=job.processes.device,
        processes=job.processes.world,
        checkpoint=job.path,
    )


def _init(job: Job) -> str:
    """What the run begins with, and what that brings."""
    if job.checkpoint:
        return f"the run's own checkpoint ({job.checkpoint.history})"
    return str(job.init) if job.init else "none: a fresh network"


def _step(job: Job, price: Cost) -> str:
    """The operations of a step, and what a process holds, in float32, while it computes one microbatch of it."""
    batch, machine = job.plan.train.batch, job.plan.machine
    images = -(-batch // (job.processes.world * machine.accumulate))
    flops = TRAINING * price.flops * batch
    return f"{flops:.2g} operations, {training_bytes(price, images) / 1e9:.2g} GB of memory"
