"""`python -m ddpm_lib evaluate`: a table of how good a checkpoint is."""

from __future__ import annotations

import argparse
import json
import math
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ddpm_lib.bound import bits_per_dim, terms
from ddpm_lib.cli.classes import check_labels
from ddpm_lib.cli.common import UsageError, at_the_door, print_config, processes_for
from ddpm_lib.cli.drawing import check_count, draw, settle, steps_of
from ddpm_lib.cli.networks import load_pictures
from ddpm_lib.cli.walk import Route, walk_of
from ddpm_lib.data import ImageData, to_pixels
from ddpm_lib.data.errors import some
from ddpm_lib.data.stream import Shards, open_images
from ddpm_lib.evaluate.classifier import digit_classifier, in_batches
from ddpm_lib.evaluate.floor import real_floor
from ddpm_lib.evaluate.generate import class_labels, sampler, with_guidance
from ddpm_lib.evaluate.metrics import digit_classes, distance_and_error, loss_by_t
from ddpm_lib.models import classes_of
from ddpm_lib.models.place import check_place, write_text
from ddpm_lib.models.trained import Trained
from ddpm_lib.sampling import timesteps
from ddpm_lib.train.machine.processes import Processes

LEAST = 256  # samples, two for each feature of the digit classifier: fewer, and the distance is mostly chance
SAMPLES = 2048  # where nothing was asked for
LOSSES = 512  # images that the losses are measured on
Row = tuple[str, float, str]  # name, value, what it means


def run(args: argparse.Namespace) -> None:
    """Print the table, and write it to --json where asked."""
    with processes_for(args.device, lambda: "start again.") as processes:
        _run(args, processes)


def _run(args: argparse.Namespace, processes: Processes) -> None:
    checkpoint, device = load_pictures(args.checkpoint, square=True), processes.device
    data = args.data or checkpoint.about.data
    judged = data == "mnist"
    if not judged:
        refuse_drawing(args, data)
    settle(args, checkpoint)
    args.samples = args.samples or SAMPLES
    T = checkpoint.schedule.T
    steps = steps_of(args.steps, T)
    with at_the_door():
        timesteps(T, steps)
    if args.samples < LEAST:
        raise UsageError(f"{args.samples} samples are too few for a Frechet distance: take {LEAST} or more.")
    if args.json:
        if Path(args.json).exists() and not args.json.endswith(".json"):
            raise UsageError(f"{args.json} exists and is no .json file: name another place for the table.")
        check_place(args.json)
    check_count(args.samples, checkpoint.about.shape)
    if args.dry_run:
        print_config(
            model=checkpoint.model_config,
            trained=checkpoint.history,
            data=f"{data}, {part(data)}",
            samples=args.samples if judged else "none: they are judged for MNIST only",
            sampler=f"{args.sampler}, {steps} steps, eta {args.eta}, guidance {args.guidance}"
            if judged
            else "none",
            seed=args.seed,
            device=device,
            processes=processes.world,
        )
        return
    channels, _, size = checkpoint.about.shape
    open_test = partial(open_images, data, train=False, size=size, channels=channels, say=print)
    found = processes.main_first(open_test)
    check_labels(checkpoint, found.classes, data)
    test = found.head(max(LOSSES, args.bits)) if isinstance(found, Shards) else found
    samples = drawn(checkpoint, args, processes) if judged else None  # by all processes
    if not processes.is_main:
        return
    rows = losses(checkpoint, test, part(data), device) + bits(checkpoint, test, args.bits, args.seed, device)
    if samples is not None:
        to_pixels(samples)  # raises for NaN
        rows += digits(samples, class_labels(args.samples, classes_of(checkpoint.model_config)), test)
    else:
        print("Frechet distance and classes are measured on the digit classifier, so for MNIST only.")
    if lost := [name.strip() for name, value, _ in rows if not math.isfinite(value)]:
        raise UsageError(
            f"No finite number came out for {some(lost)}: lower the guidance, or use other weights."
        )
    for name, value, meaning in rows:
        print(f"{name:32} {value:10.4g}   {meaning}")
    if args.json:
        write_text(args.json, json.dumps({name: value for name, value, _ in rows}, indent=1) + "\n")


def refuse_drawing(args: argparse.Namespace, data: str) -> None:
    """Raise UsageError for an option of drawing where nothing is drawn: the classifier knows MNIST's digits alone."""
    for option, given in (
        ("--samples", args.samples is not None),
        ("--sampler", args.sampler != "ddim"),
        ("--steps", args.steps is not None),
        ("--eta", args.eta != 0),
        ("--guidance", args.guidance is not None),
    ):
        if given:
            raise UsageError(
                f"{option} says how digits are drawn and judged, and for {data} nothing is drawn: leave it out, or "
                "draw with `sample --folder` for a metric of your own."
            )


def part(data: str) -> str:
    """What the losses are measured on: a folder of images has no part held out."""
    return (
        "held-out images" if data in ("mnist", "fashion-mnist") else "images of the folder, trained on or not"
    )


def losses(checkpoint: Trained, test: ImageData, which: str, device: torch.device) -> list[Row]:
    """The error of eps_hat on `which` images at five times, from little noise to much."""
    T, n = checkpoint.schedule.T, min(LOSSES, len(test))
    ts = sorted({max(1, round(T * share)) for share in (0.02, 0.1, 0.3, 0.6, 1.0)})
    y = test.y[:n].to(device) if test.y is not None and classes_of(checkpoint.model_config) else None
    network, x0 = checkpoint.network().to(device), test.x0(slice(0, n)).to(device)
    errors = loss_by_t(network, checkpoint.diffusion, x0, ts, y)
    return [(f"loss at t = {t}", error, f"|eps - eps_hat|^2 a pixel, {n} {which}") for t, error in errors]


def bits(checkpoint: Trained, test: ImageData, n: int, seed: int, device: torch.device) -> list[Row]:
    """The bound of the first n images in bits per dimension, over all T steps with sigma^2 = beta."""
    n = min(n, len(test))
    if n < 2:
        return []
    x0, generator = test.x0(slice(0, n)).to(device), torch.Generator().manual_seed(seed)
    y = test.y[:n].to(device) if test.y is not None and classes_of(checkpoint.model_config) else None

    def draw(*shape: int) -> Tensor:  # on the CPU: a seed means the same noise on every device
        return torch.randn(shape, generator=generator)

    nats = terms(checkpoint.network().to(device), checkpoint.diffusion, x0, draw, y=y, sigma2="beta").sum(0)
    each = bits_per_dim(nats.double().cpu(), x0[0].numel())
    error = float(each.std()) / math.sqrt(n)
    return [
        (
            "bits per dimension",
            float(each.mean()),
            f"the bound, {n} images, +- {error:.2g}; 8 without a model",
        )
    ]


def drawn(checkpoint: Trained, args: argparse.Namespace, processes: Processes) -> Float[Tensor, "n c h w"]:
    """--samples images, the classes in turn where there are any."""
    network = with_guidance(checkpoint.network().to(processes.device), args.guidance)
    diffusion, shape = checkpoint.diffusion, checkpoint.about.shape
    steps, step = steps_of(args.steps, diffusion.T), sampler(args.sampler, args.eta)
    walk = walk_of(Route(timesteps(diffusion.T, steps)), network, diffusion, shape, step, processes.device)
    y = class_labels(args.samples, classes_of(checkpoint.model_config))
    seeds = range(args.seed, args.seed + args.samples)
    return draw(processes, walk, shape, seeds, y, states=steps + 1)


def digits(x: Float[Tensor, "n c h w"], y: Int[Tensor, " n"] | None, test: ImageData) -> list[Row]:
    """Frechet distance and classes of images x, of which y was asked for; `test` is the whole test set."""
    features, classes = digit_classifier().features, digit_classes(x, y)
    distance, error = distance_and_error(in_batches(features, x), in_batches(features, test.x0()))
    floor = real_floor(len(x), y)
    kind = "the same classes" if y is not None else "of any class"
    rows = [
        ("Frechet distance", distance, f"{len(x)} samples against the test set, +- {error:.2g}"),
        ("  of real training digits", floor.mean, f"the floor: as many, {kind}, +- {floor.spread:.2g}"),
        (
            "  above the floor",
            distance - floor.mean,
            f"0 for real digits, +- {math.hypot(error, floor.spread):.2g}",
        ),
        ("class entropy", classes.entropy, "bits; log2(10) = 3.32 when all digits come equally often"),
        ("top probability", classes.confidence, "of the likeliest class; high for noise too"),
    ]
    if classes.agreement is not None:
        rows.append(("agreement", classes.agreement, "share named as the class that was asked for"))
    return rows
