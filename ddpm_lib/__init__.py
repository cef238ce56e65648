"""ddpm_lib: denoising diffusion probabilistic models, small enough to read. The book is its manual."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ddpm_lib.checkpoint import Checkpoint

__version__ = "0.1.0"


def load(path: str | Path) -> Checkpoint:
    """A checkpoint or exported weights: `.network()` to sample from, `.diffusion`, `.about`, `.resume()`."""
    from ddpm_lib.checkpoint import load_checkpoint  # imported when used, so that `import ddpm_lib` is quick

    return load_checkpoint(path)
