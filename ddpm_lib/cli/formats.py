"""`python -m ddpm_lib export --onnx | --diffusers`: the network for other libraries, checked after writing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ddpm_lib.cli.common import UsageError, print_config
from ddpm_lib.models.trained import Trained

DEFAULT_OUT = {"onnx": "model.onnx", "diffusers": "diffusers"}


def chosen(args: argparse.Namespace) -> str | None:
    """The format that was asked for, "onnx" or "diffusers"; None for our own."""
    return next((name for name in DEFAULT_OUT if getattr(args, name)), None)


def run(name: str, checkpoint: Trained, args: argparse.Namespace, out: Path) -> None:
    """Write `out` in the format `name` and print how exact it is and how to use it."""
    if args.half:
        raise UsageError(
            f"--half is for weights of our own format, and --{name} writes float32: leave it out."
        )
    if args.dry_run:
        trained = checkpoint.history
        print_config(
            model=checkpoint.model_config, trained=trained, format=name, precision="float32", out=out
        )
        return
    if name == "onnx":
        _onnx(out, checkpoint)
    else:
        _diffusers(out, checkpoint)


def _onnx(out: Path, checkpoint: Trained) -> None:
    from ddpm_lib.formats.onnx_file import write_onnx

    off = write_onnx(out, checkpoint)
    print(f"Wrote {out} ({out.stat().st_size / 1e6:.1f} MB): the network; the schedule is in its metadata.")
    if off is None:
        print("It was not run, for onnxruntime is not installed: pip install onnxruntime, and export again.")
    else:
        print(f"onnxruntime and torch differ by at most {off:.1e}.")


def _diffusers(out: Path, checkpoint: Trained) -> None:
    from ddpm_lib.formats.pipeline_folder import write_pipeline

    written = write_pipeline(out, checkpoint)
    if written.own is None:
        print(f"Wrote {out}: a UNet2DModel and its scheduler, which need nothing of ddpm_lib.")
    else:
        print(f"Wrote {out}: ddpm_lib's own network ({written.own}) and a scheduler of diffusers.")
    print(
        f"Loaded again, its output and ours differ by at most {written.off:.1e}. To sample:\n\n{written.code}"
    )
