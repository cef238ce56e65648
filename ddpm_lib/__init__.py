"""ddpm_lib: denoising diffusion probabilistic models, small enough to read. The book is its manual."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ddpm_lib.models.trained import Trained

__version__ = "1.0.0"


def shown(name: object) -> str:
    """A name as one line of printable text: what a terminal would obey (control characters) is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def class_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of classes as they are kept and compared: printable, and each letter written in one way (NFC).

    One folder's name, copied from a Mac to another system, is other bytes.
    """
    return tuple(shown(unicodedata.normalize("NFC", name)) for name in names)


class CourseError(Exception):
    """Something that its user can mend; the message is one sentence: what was wrong, what was expected, what to do.

    A name that it quotes may come from a file of somebody else's: nothing in it is obeyed by a terminal.
    """

    def __str__(self) -> str:
        return shown(super().__str__())


def load(name: str | Path) -> Trained:
    """Trained weights that come with the package, by name ("cpu-minutes"), or a checkpoint's path.

    `.network()` is the model to sample from, `.diffusion` and `.about` belong to it.
    """
    from ddpm_lib.assets.weights import load_weights  # imported when used, so that `import ddpm_lib` is quick

    return load_weights(name)
