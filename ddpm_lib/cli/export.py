"""`python -m ddpm_lib export`: the averaged weights alone, small enough to share, or for other libraries."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ddpm_lib import load
from ddpm_lib.cli import formats
from ddpm_lib.cli.common import UsageError, print_config
from ddpm_lib.models.place import check_place
from ddpm_lib.models.storage import CHECKPOINT, file_of
from ddpm_lib.models.trained import export_weights
from ddpm_lib.web.export import write_web


def run(args: argparse.Namespace) -> None:
    """Write --out, with what sampling needs and nothing else."""
    checkpoint = load(args.checkpoint)
    name = formats.chosen(args)
    out = place(args, "model.js" if args.web else formats.DEFAULT_OUT.get(name or "", "weights.safetensors"))
    if name:
        formats.run(name, checkpoint, args, out)
        return
    if args.web and args.half:
        raise UsageError("--half is for weights of our own format, and --web writes int8: leave it out.")
    if args.dry_run:
        print_config(
            model=checkpoint.model_config,
            trained=checkpoint.history,
            precision="int8 by output channel" if args.web else "float16" if args.half else "float32",
            out=out,
        )
        return
    if args.web:
        write_web(out, checkpoint)
        print(f"Wrote {out} ({out.stat().st_size / 1e6:.2f} MB): a script that hands the weights to a page.")
        return
    export_weights(out, checkpoint, half=args.half)
    print(
        f"Wrote {out} ({out.stat().st_size / 1e6:.1f} MB): weights, schedule and configuration, no optimizer."
    )


def place(args: argparse.Namespace, default: str) -> Path:
    """Where the export goes: beside its checkpoint, or to --out. Raises UsageError where another file would be lost.

    A run's folder holds one export of each kind, that of its checkpoint, which a later one replaces.
    """
    source = file_of(args.checkpoint)
    out = Path(args.out or source.with_name(default))
    if out.resolve() == source.resolve():
        raise UsageError(f"{out} is the checkpoint itself and would be overwritten: choose another --out.")
    # A folder in the place of a file, and one that is no pipeline's, are refused in their own words later.
    empty = out.is_dir() and not (args.diffusers and (out / "model_index.json").is_file())
    if os.path.lexists(out) and not empty and not (args.out is None and source.name == CHECKPOINT):
        raise UsageError(
            f"{out} exists and may be another network's: remove it, or choose another name with --out."
        )
    check_place(out, folder=args.diffusers)
    return out
