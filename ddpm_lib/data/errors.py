"""How this room speaks: its errors, its notes, and the names that it found on a disk."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ddpm_lib import CourseError, shown


class DataError(CourseError):
    """Data that cannot be had or read; the message says what to do."""


class BadImage(DataError):
    """One image that cannot be read. `where` names it, `reason` says why."""

    def __init__(self, where: str, reason: str) -> None:
        self.where, self.reason = shown(where), shown(reason)
        super().__init__(
            f"{self.where} cannot be read as an image: replace it or take it away ({self.reason})."
        )


def note(line: str) -> None:
    """Say a line about the data, on stderr."""
    print(line, file=sys.stderr)


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few of many names, as "a, b, c and 7 more"."""
    listed = ", ".join(map(shown, names[:most]))
    return f"{listed} and {len(names) - most:,} more" if len(names) > most else listed


def counted(n: int, thing: str, things: str | None = None) -> str:
    """So many things, as in "1 image" and "12 images"."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"
