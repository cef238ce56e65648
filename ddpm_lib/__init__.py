"""ddpm_lib: denoising diffusion probabilistic models, small enough to read. The book is its manual."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ddpm_lib.models.trained import Trained

__version__ = "1.0.0"


class CourseError(Exception):
    """Something that its user can mend; the message is one sentence: what was wrong, what was expected, what to do."""


def load(name: str | Path) -> Trained:
    """Trained weights that come with the package, by name ("cpu-minutes"), or a checkpoint's path.

    `.network()` is the model to sample from, `.diffusion` and `.about` belong to it.
    """
    from ddpm_lib.assets.weights import load_weights  # imported when used, so that `import ddpm_lib` is quick

    return load_weights(name)
