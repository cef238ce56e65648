"""What the commands share: the device, the configuration in print, a gentle stop."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

import torch


class UsageError(Exception):
    """A command that cannot be carried out as given; the message says what to do."""


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"The device {name!r} cannot be used here: pass --device cpu, or leave it out."
        ) from error
    return torch.device(name)


def print_config(**groups: Any) -> None:
    """Print every setting, one a line; a dataclass takes a line a field."""
    for group, value in groups.items():
        if is_dataclass(value) and not isinstance(value, type):
            for field, setting in asdict(value).items():
                print(f"{group}.{field} = {setting!r}")
        else:
            print(f"{group} = {value}")


def clock(seconds: float) -> str:
    """75.2 as 1:15, 4000 as 1:06:40."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C (or SIGTERM) into a flag, so that a step ends and its work is saved."""
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        if seen:  # the second time, stop at once
            raise KeyboardInterrupt
        seen.append(number)
        print("\nstopping after the next few steps (again to stop at once) ...", file=sys.stderr)

    old = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
