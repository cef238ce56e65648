"""What a `train` command asks for, read and checked before anything is computed."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from ddpm_lib.cli.common import UsageError, typed
from ddpm_lib.cli.fine_tune import Init, check_fit, sides
from ddpm_lib.cli.keep import Stamp, stamp
from ddpm_lib.cli.plan import Plan, plan
from ddpm_lib.cli.resume import check_data, check_resume
from ddpm_lib.data.stream import Images, open_images
from ddpm_lib.models.place import check_place
from ddpm_lib.models.storage import file_of
from ddpm_lib.models.trained import About
from ddpm_lib.train.checkpoint import Checkpoint, load_checkpoint
from ddpm_lib.train.loop import check_batch
from ddpm_lib.train.machine.processes import Processes


@dataclass(frozen=True)
class Job:
    """A run to begin or to go on with: `path` is its checkpoint's, which was `came_from` when this was read."""

    path: Path
    came_from: Stamp
    checkpoint: Checkpoint | None
    init: Init | None  # what a new run begins with; None is a fresh network
    data: Images
    about: About
    plan: Plan
    processes: Processes

    @property
    def began(self) -> str:
        """The name of the weights that the run began with, now or before a resume; "" for a fresh network."""
        if self.checkpoint:
            return self.checkpoint.init
        return self.init.name if self.init else ""


def read_job(args: argparse.Namespace, path: Path, init: Init | None, processes: Processes) -> Job:
    """What `args` asks for. Raises UsageError or PlaceError for what cannot be."""
    came_from = stamp(path)
    checkpoint = load_checkpoint(args.resume) if args.resume else None
    _check_places(args, path, checkpoint)
    source = args.data or (checkpoint.about.data if checkpoint else "mnist")
    size = args.size or (checkpoint.about.shape[-1] if checkpoint else None)
    channels = args.channels or (checkpoint.about.shape[0] if checkpoint else None)
    how = sides(args, init, source) if init else {"size": size, "channels": channels}
    rest = {"skip_bad": args.skip_bad, "write": not args.dry_run}
    data = processes.main_first(lambda: open_images(source, say=print, **how, **rest))
    about = About(source, data.shape, data.classes)
    if checkpoint:
        check_data(checkpoint, about, args.resume)
    if init:
        check_fit(init, data, source)
    chosen = plan(args, data, checkpoint, init.trained if init else None)
    check_batch(chosen.train.batch, chosen.machine, processes)
    return Job(path, came_from, checkpoint, init, data, about, chosen, processes)


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
