"""When, on what and with which versions a chapter ran: the line at the foot of its page, and of its copy for Colab."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from benchmarks.machine import processor

LIBRARIES = ("torch", "numpy")
RECORD = "executed"  # the key of what is known of a chapter's last run, in its copy's metadata
FOLDER = Path("_build") / "executed"  # where the copies are


@dataclass(frozen=True)
class Machine:
    """What a run depends on besides the code."""

    day: str  # of the run, in UTC: 2026-11-26
    processor: str
    cores: int
    versions: str  # Python 3.11.7, torch 2.13.0, ...


def this_machine() -> Machine:
    """The day, the processor and the versions of this process; a chapter's kernel has the same."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    versions = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)]
    return Machine(datetime.now(UTC).date().isoformat(), processor(), cores, ", ".join(versions))


def words(machine: Machine, seconds: float) -> str:
    """A run's day, how long it took, where, and with which versions."""
    took = f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    place = f"{machine.cores} {'core' if machine.cores == 1 else 'cores'} of {machine.processor}"
    return f"{machine.day}, {took} on {place}; {machine.versions}."


def last_run(machine: Machine, seconds: float) -> str:
    """The line of a page, as HTML."""
    return f'<p class="last-run">Last run: {escape(words(machine, seconds))}</p>'


def of_the_book(executed: Path) -> str | None:
    """The line of a copy, from the chapter's executed one; None where that is missing or did not run whole."""
    try:
        record = json.loads(executed.read_text(encoding="utf-8"))["metadata"][RECORD]
        if record["failure"]:
            return None
        return f"Last run, for the book: {escape(words(Machine(**record['machine']), record['seconds']))}"
    except (OSError, KeyError, TypeError, ValueError):
        return None
