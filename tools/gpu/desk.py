"""What a piece is given: where results go, on what device, and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Desk:
    """`work` holds weights/ and measured/, as the package has them, ladder/, and scratch/, which stays behind."""

    work: Path
    device: str
    hardware: str
    tiny: bool
    end: float  # seconds of time.monotonic
    unfinished: bool = False  # set by a piece that did what it could, and goes on in the next call

    def left(self) -> float:
        """Seconds until the end."""
        return self.end - time.monotonic()

    def say(self, line: str) -> None:
        """One line, at once."""
        print(line, flush=True)

    def measured(self, name: str) -> Path:
        """Where a table goes."""
        return self.work / "measured" / name


@dataclass(frozen=True)
class Piece:
    """One thing to do, and the minutes that it is stated to take on one H100."""

    name: str
    minutes: float
    do: Callable[[Desk], None]
