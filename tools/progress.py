"""How far the chapters are: a line for each, and, while a long cell runs, a sign of life."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

EVERY = 30.0  # seconds between two signs of life where lines cannot be overwritten


@dataclass
class Running:
    """A chapter that runs."""

    head: str  # which of how many, and its name
    cells: int
    where: str = ""
    begun: float = field(default_factory=lambda: time.monotonic())
    spoken: float = field(default_factory=lambda: time.monotonic())


class Progress:
    """Prints the chapters that run, their seconds, and what is left."""

    def __init__(self, seconds: Mapping[str, float | None], at_once: int = 1) -> None:
        """`seconds`: what each chapter took the last time, in the order in which they run; None is not known."""
        self.left = dict(seconds)
        self.chapters, self.at_once = len(seconds), at_once
        self.running: dict[str, Running] = {}
        self.live = sys.stdout.isatty()

    def begin(self, name: str, cells: int) -> None:
        """A chapter starts."""
        before = self.left.pop(name, None)
        head = f"[{self.chapters - len(self.left):>2}/{self.chapters}] {name}"
        self.running[name] = Running(head, cells)
        usual = "" if before is None else f", {before:.0f} s the last time"
        self._say(f"{head} ({cells} cells{usual}) ...", live=self.live)

    def cell(self, name: str, number: int, cell: str) -> None:
        """A cell of a chapter starts."""
        chapter = self.running[name]
        chapter.where = f"cell {number + 1} of {chapter.cells} ({cell})"
        self.tick(name)

    def tick(self, name: str) -> None:
        """A chapter still runs: called about once a second."""
        chapter = self.running[name]
        if self.live or time.monotonic() - chapter.spoken >= EVERY:
            chapter.spoken = time.monotonic()
            seconds = time.monotonic() - chapter.begun
            self._say(
                f"{chapter.head}: {chapter.where}, {seconds:.0f} s so far; {self._rest}", live=self.live
            )

    def end(self, name: str, seconds: float, failure: object = None) -> None:
        """A chapter is done, or stopped."""
        how = f"{seconds:6.1f} s" if failure is None else f"FAILED after {seconds:.0f} s at {failure}"
        head = self.running.pop(name).head
        self._say(f"{head:<34}{how}{'; ' + self._rest if self.left else ''}", live=False)

    @property
    def _rest(self) -> str:
        if not self.left:
            return "the last one"
        known = [seconds for seconds in self.left.values() if seconds is not None]
        minutes = sum(known) / 60 / self.at_once
        about = f", about {minutes:.0f} min" if len(known) == len(self.left) else ""
        return f"{len(self.left)} left{about}"

    def _say(self, text: str, live: bool) -> None:
        start = "\r\x1b[2K" if self.live else ""
        print(start + text, end="" if live else "\n", flush=True)
