"""What became of every piece, in a file that the worker and the process above it share."""

from __future__ import annotations

import json
import os
from pathlib import Path

FAILED = 70  # a worker's status when a piece failed: the pieces after it need a new process


class State:
    """done: seconds; failed, left_out and not_measured: why; begun: what is being done."""

    def __init__(self, work: Path) -> None:
        self.path = work / "state.json"
        known = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.done: dict[str, float] = known.get("done", {})
        self.failed: dict[str, str] = known.get("failed", {})
        self.left_out: dict[str, str] = known.get("left_out", {})
        self.not_measured: dict[str, str] = known.get("not_measured", {})
        self.begun: str | None = known.get("begun")

    def save(self) -> None:
        """Write it, whole or not at all."""
        part = self.path.with_name(self.path.name + ".part")
        part.write_text(json.dumps({**vars(self), "path": None}, indent=1) + "\n")
        os.replace(part, self.path)

    def begin_anew(self) -> None:
        """Forget what an earlier call could not do: this one tries again."""
        self.failed, self.left_out, self.not_measured, self.begun = {}, {}, {}, None
        self.save()

    def died(self, status: int) -> None:
        """The worker ended within a piece, with that status."""
        self.failed[self.begun or "the start"] = f"its process ended with status {status}"
        self.begun = None
        self.save()

    def out_of_time(self) -> None:
        """The worker was stopped because the time was up."""
        if self.begun:
            self.left_out[self.begun] = "the time was up before it was done; what it had measured is kept"
            self.begun = None
            self.save()

    def summary(self) -> list[str]:
        """One line a piece."""
        lines = [f"done: {name} ({seconds:.0f} s)" for name, seconds in self.done.items()]
        for word, group in (("FAILED", self.failed), ("left out", self.left_out), ("", self.not_measured)):
            lines += [f"{word + ': ' if word else ''}{name}: {why}" for name, why in group.items()]
        return lines
