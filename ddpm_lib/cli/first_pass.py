"""One image through the network before a run begins: what does not fit is refused, and what is slow is said."""

from __future__ import annotations

import torch

from ddpm_lib.cli.common import at_the_door, stop_at_once
from ddpm_lib.cli.job import Job
from ddpm_lib.cli.memory import enough_memory
from ddpm_lib.models import Network, build
from ddpm_lib.train import Machine
from ddpm_lib.train.machine.compiling import can_compile
from ddpm_lib.train.machine.cost import Cost
from ddpm_lib.train.machine.probe import fastest

# Operations of a pass that a user is told of before they begin, and what a processor core does in a second.
HEAVY, CORE = 1e13, 1e11


def first_pass(job: Job, price: Cost) -> Network:
    """The network to train, through which one image has gone. Raises RanOut or UsageError for what cannot be."""
    device, machine = job.processes.device, job.plan.machine
    less = "pass a smaller --size, a smaller --width, or another --preset"
    if job.checkpoint:
        less = "close other programs"
    elif job.init:
        less = "pass a smaller --size"
    work = f"on {device}, for one image of {job.data.shape} alone"
    torch.manual_seed(job.plan.train.seed)
    with torch.no_grad(), at_the_door(), enough_memory(work, less):
        if job.processes.is_main:
            _warn(price, narrower=job.init is None)
        model = build(job.plan.model)
        if job.init:
            job.init.trained.fill(model, "ema.")
        model = model.to(device)
        first = torch.ones(1, dtype=torch.int64, device=device)
        model(job.data.head(1).x0().to(device), first)
        if machine.compile:
            can_compile(device)
    return model


def _warn(price: Cost, narrower: bool) -> None:
    """Say so before a pass that takes minutes."""
    if price.flops > HEAVY:
        less = (
            "a smaller --size, or fewer feature maps (--width), take less"
            if narrower
            else "a smaller --size takes less"
        )
        print(
            f"One image is {price.flops:.1e} operations per pass, on a processor core some "
            f"{price.flops / CORE / 60:,.0f} minutes: {less}.",
            flush=True,
        )


def fastest_here(model: Network, job: Job) -> Machine:
    """What is fastest here: the main process measures while the others wait, and all take its answer."""
    print(
        "measuring what is fastest here (seconds, or a minute or two for a large network; not with --precision) ...",
        end=" ",
        flush=True,
    )
    machine, processes = job.plan.machine, job.processes
    if processes.is_main:
        x0 = job.data.head(job.plan.train.batch // processes.world).x0().to(processes.device)
        with stop_at_once():
            machine = fastest(model, x0, machine)
    machine = processes.first(machine)
    algorithm = (
        f", Winograd's convolutions from {machine.winograd} feature maps on" if machine.winograd else ""
    )
    print(f"{machine.precision}, {'channels last' if machine.channels_last else 'channels first'}{algorithm}")
    return machine
