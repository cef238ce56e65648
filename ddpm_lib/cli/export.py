"""`python -m ddpm_lib export`: the averaged weights alone, small enough to share, or for other libraries."""

from __future__ import annotations

import argparse
from pathlib import Path

from ddpm_lib import load
from ddpm_lib.cli import formats
from ddpm_lib.cli.common import UsageError, print_config
from ddpm_lib.models.trained import export_weights
from ddpm_lib.web.export import write_web


def run(args: argparse.Namespace) -> None:
    """Write --out, with what sampling needs and nothing else."""
    checkpoint = load(args.checkpoint)
    if name := formats.chosen(args):
        formats.run(name, checkpoint, args)
        return
    given = Path(args.checkpoint)
    run_folder = given if given.is_dir() else given.parent  # two runs never write to one file
    out = Path(args.out or run_folder / ("model.js" if args.web else "weights.safetensors"))
    if args.web and args.half:
        raise UsageError("--half is for weights of our own format, and --web writes int8: leave it out.")
    if args.dry_run:
        print_config(
            model=checkpoint.model_config,
            trained=f"{checkpoint.step:,} steps on {checkpoint.about.data}",
            precision="int8 by output channel" if args.web else "float16" if args.half else "float32",
            out=out,
        )
        return
    if out.resolve() == Path(args.checkpoint).resolve():
        raise UsageError(f"{out} is the checkpoint itself and would be overwritten: choose another --out.")
    if args.web:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_web(out, checkpoint)
        print(f"Wrote {out} ({out.stat().st_size / 1e6:.2f} MB): a script that hands the weights to a page.")
        return
    export_weights(out, checkpoint, half=args.half)
    print(
        f"Wrote {out} ({out.stat().st_size / 1e6:.1f} MB): weights, schedule and configuration, no optimizer."
    )
