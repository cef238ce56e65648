"""How far the chapters are: a line for each, and, while a long cell runs, a sign of life."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

EVERY = 30.0  # seconds between two signs of life where lines cannot be overwritten


class Progress:
    """Prints the chapter that runs, its seconds, and what is left."""

    def __init__(self, seconds: Mapping[str, float | None]) -> None:
        """`seconds`: what each chapter took the last time, in the order in which they run; None is not known."""
        self.left = dict(seconds)
        self.chapters = len(seconds)
        self.live = sys.stdout.isatty()

    def begin(self, name: str, cells: int) -> None:
        """A chapter starts."""
        self.name, self.cells, self.where = name, cells, ""
        self.before = self.left.pop(name, None)
        self.begun = self.spoken = time.monotonic()
        usual = "" if self.before is None else f", {self.before:.0f} s the last time"
        self._say(f"{self._head} ({cells} cells{usual}) ...", live=self.live)

    def cell(self, number: int, name: str) -> None:
        """A cell starts."""
        self.where = f"cell {number + 1} of {self.cells} ({name})"
        self.tick()

    def tick(self) -> None:
        """Something still runs: called about once a second."""
        if self.live or time.monotonic() - self.spoken >= EVERY:
            self.spoken = time.monotonic()
            seconds = time.monotonic() - self.begun
            self._say(f"{self._head}: {self.where}, {seconds:.0f} s so far; {self._rest}", live=self.live)

    def end(self, seconds: float, failure: object = None) -> None:
        """A chapter is done, or stopped."""
        how = f"{seconds:6.1f} s" if failure is None else f"FAILED after {seconds:.0f} s at {failure}"
        self._say(f"{self._head:<34}{how}{'; ' + self._rest if self.left else ''}", live=False)

    @property
    def _head(self) -> str:
        return f"[{self.chapters - len(self.left):>2}/{self.chapters}] {self.name}"

    @property
    def _rest(self) -> str:
        if not self.left:
            return "the last one"
        known = [seconds for seconds in self.left.values() if seconds is not None]
        about = f", about {sum(known) / 60:.0f} min" if len(known) == len(self.left) else ""
        return f"{len(self.left)} left{about}"

    def _say(self, text: str, live: bool) -> None:
        start = "\r\x1b[2K" if self.live else ""
        print(start + text, end="" if live else "\n", flush=True)
