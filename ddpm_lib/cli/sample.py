"""`python -m ddpm_lib sample`: images from a checkpoint, as a grid, as single files or as a film."""

from __future__ import annotations

import argparse

import torch

from ddpm_lib.cli.classes import label_of
from ddpm_lib.cli.common import at_the_door, print_config, processes_for
from ddpm_lib.cli.drawing import check_count, drawn, settle
from ddpm_lib.cli.networks import load_pictures
from ddpm_lib.cli.pictures import places
from ddpm_lib.cli.walk import route, walk_of
from ddpm_lib.data.errors import counted, some
from ddpm_lib.evaluate.generate import class_labels, sampler, with_guidance
from ddpm_lib.models import classes_of, use_winograd
from ddpm_lib.train.machine.compiling import compile_network
from ddpm_lib.train.machine.processes import Processes


def run(args: argparse.Namespace) -> None:
    """Draw --count images and write them where they are asked for."""
    with processes_for(args.device, lambda: "start again.") as processes:
        _run(args, processes)


def _run(args: argparse.Namespace, processes: Processes) -> None:
    checkpoint = load_pictures(args.checkpoint)
    settle(args, checkpoint)
    about, diffusion = checkpoint.about, checkpoint.diffusion
    out, label = places(args), label_of(checkpoint, args.label)
    way = route(args, diffusion.T, about.shape)
    frames = out.frames(len(way.times))
    if out.grid or out.film:
        check_count(args.count * len(frames), about.shape)
    with at_the_door():
        y = class_labels(args.count, classes_of(checkpoint.model_config), label)
        step = sampler(args.sampler, args.eta)
    if args.dry_run:
        print_config(
            model=checkpoint.model_config,
            trained=checkpoint.history,
            shape=about.shape,
            begin=str(way),
            sampler=args.sampler,
            steps=f"{len(way.times) - 1} of T = {diffusion.T} ({checkpoint.schedule.name} schedule)",
            eta=args.eta,
            guidance=args.guidance if y is not None else "none: the network knows no classes",
            labels="none" if y is None else some([str(label) for label in y.tolist()], most=10),
            seeds=f"{args.seed} ... {args.seed + args.count - 1}",
            device=processes.device,
            processes=processes.world,
            out=str(out),
        )
        return
    processes.barrier()  # nobody writes before all have seen that there is room
    network = checkpoint.network().to(processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    use_winograd(network, checkpoint.training.get("winograd", 0))  # as it was trained
    if args.compile:
        with at_the_door():
            compile_network(network)
    walk = walk_of(way, with_guidance(network, args.guidance), diffusion, about.shape, step, processes.device)
    seeds, kept = range(args.seed, args.seed + args.count), [torch.zeros(0, len(frames), *about.shape)]
    for part, pictures in drawn(processes, walk, seeds, y, args.batch, states=len(way.times), frames=frames):
        out.write_each(part, pictures[:, -1])
        if out.grid or out.film:
            kept.append(pictures)
    everything = processes.gather(torch.cat(kept))
    if processes.is_main and len(everything):
        out.write_all(everything)
    print(f"Wrote {counted(args.count, 'image')} to {out}")
