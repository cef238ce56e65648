"""What must hold where a run goes on: its data are there and the same, and no option is passed for nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ddpm_lib.cli.classes import check_classes
from ddpm_lib.cli.common import UsageError
from ddpm_lib.data.folder import BUILT_IN
from ddpm_lib.models.trained import About, Trained, kind_of


def check_resume(args: argparse.Namespace, checkpoint: Trained) -> None:
    """Raise UsageError for options that a resumed run would ignore, and for data that are not where they were."""
    kind, data = kind_of(checkpoint.model_config), checkpoint.about.data
    if args.model not in (None, kind):
        raise UsageError(f"{args.resume} holds a {kind}, which goes on as one: leave out {args.model}.")
    for name in ("preset", "seed", "width", "levels", "predicts", "schedule", "T"):
        if getattr(args, name) is not None:
            option = f"-{name}" if len(name) == 1 else f"--{name}"
            raise UsageError(
                f"{option} was chosen when the run of {args.resume} began and cannot change: leave it out, or start a "
                "new run."
            )
    if args.data is None and data not in BUILT_IN and not Path(data).exists():
        where = "" if Path(data).is_absolute() else f", seen from {Path.cwd()}"
        raise UsageError(
            f"The images of the run, {data}, are not there{where}: pass their folder with --data, or mount it."
        )


def check_data(checkpoint: Trained, about: About, file: str) -> None:
    """Raise UsageError unless images are of the shape and the classes, by name, that the run has seen."""
    seen = checkpoint.about
    if seen.shape != about.shape:
        raise UsageError(
            f"{file} was trained on {seen.data} {seen.shape}, and {about.data} {about.shape} does not fit it: leave "
            "out --data and --size, or pass the same."
        )
    check_classes(seen.classes, about.classes, about.data, file)
