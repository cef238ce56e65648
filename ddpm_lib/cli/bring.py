"""`python -m ddpm_lib import`: a folder of diffusers as weights of our own."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ddpm_lib.cli.common import UsageError, print_config, typed
from ddpm_lib.models.place import check_place
from ddpm_lib.models.trained import export_weights


def options(p: argparse.ArgumentParser) -> None:
    """The folder, and where to write."""
    p.add_argument(
        "folder", help="what DDPMPipeline.save_pretrained wrote: model_index.json, unet/, scheduler/"
    )
    p.add_argument(
        "--out", metavar="FILE", help="file to write (default: the folder's name and .safetensors)"
    )
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")


def run(args: argparse.Namespace) -> None:
    """Write --out, which every other command takes as a checkpoint."""
    from ddpm_lib.formats.pipeline_reading import read_pipeline

    folder = Path(args.folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: pass what diffusers' save_pretrained wrote.")
    out = Path(args.out or f"{folder.resolve().name}.safetensors")
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already: remove it, or choose another name with --out.")
    check_place(out)
    trained, off = read_pipeline(folder)
    if args.dry_run:
        print_config(
            model=trained.model_config, schedule=trained.schedule.name, T=trained.schedule.T, out=out
        )
        return
    export_weights(out, trained)
    print(f"Wrote {out}: what it computes differs from what it does in diffusers by at most {off:.1e}.")
    print(f"To draw from it: python -m ddpm_lib sample {typed(out)}")
