"""Trained weights that come with the package, by name."""

from __future__ import annotations

from pathlib import Path

from ddpm_lib.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from ddpm_lib.data import ASSETS, verified

FOLDER = ASSETS / "weights"


def shipped() -> list[str]:
    """The names that `ddpm_lib.load` knows."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def load_weights(name: str | Path) -> Checkpoint:
    """Shipped weights by name, checksum verified, or any checkpoint by path."""
    if str(name) in shipped():
        path = FOLDER / f"{name}.safetensors"
        verified(path)
        return load_checkpoint(path)
    if Path(name).suffix or Path(name).exists():
        return load_checkpoint(name)
    known = ", ".join(["a checkpoint's path", *shipped()])
    raise CheckpointError(f"There are no weights {str(name)!r}: pass {known}.")
