"""What the commands share: the device, the processes, the configuration in print, a gentle stop."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict, is_dataclass
from typing import Any

import torch

from ddpm_lib import CourseError, shown
from ddpm_lib.train.machine.compiling import tune
from ddpm_lib.train.machine.processes import LaunchError, Processes, accelerated, launched, lost_process


class UsageError(CourseError):
    """A command that cannot be carried out as given; the message says what to do."""


@contextmanager
def at_the_door() -> Iterator[None]:
    """Options are tried in here before work begins: what the library refuses is a mistake in a command.

    Anywhere else a ValueError is a fault of the program, and shows its traceback.
    """
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


def typed(path: object) -> str:
    """A path as it is typed in a shell: quoted where it has to be, and never taken for an option."""
    name = f".{os.sep}{path}" if str(path).startswith("-") else str(path)
    return subprocess.list2cmdline([name]) if os.name == "nt" else shlex.quote(name)


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.ones(1, device=name).item()  # "meta" holds no numbers
    except (RuntimeError, AssertionError, ImportError, ValueError) as error:
        raise UsageError(
            f"The device {name!r} cannot be used here: pass --device cpu, or leave it out."
        ) from error
    return torch.device(name)


@contextmanager
def processes_for(device: str, go_on: Callable[[], str]) -> Iterator[Processes]:
    """This process alone on the device of that name, or as one of those that a launcher started: the first one prints.

    Where another process is lost on the way, LaunchError says so; `go_on()` completes the sentence.
    """
    if not launched():
        processes = Processes(pick_device(device))
        tune(processes.device)
        yield processes
        return
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(
            f"Every process takes a device of its own, but --device {device} names one: pass cpu, cuda or nothing."
        )
    if device == "cuda" and not torch.cuda.is_available():
        pick_device(device)  # which says so
    processes = accelerated(cpu=device == "cpu")
    tune(processes.device)
    try:
        with (
            open(os.devnull, "w") as nothing,
            nullcontext() if processes.is_main else redirect_stdout(nothing),
        ):
            yield processes
        processes.close()
    except RuntimeError as error:
        if not lost_process(error):
            raise
        raise LaunchError(
            f"Another of the {processes.world} processes ended or does not answer (its own message or the launcher's "
            f"says why), and this one cannot go on alone: {go_on()}"
        ) from error


def print_config(**groups: Any) -> None:
    """Print every setting, one a line; a dataclass takes a line a field."""
    for group, value in groups.items():
        if is_dataclass(value) and not isinstance(value, type):
            for field, setting in asdict(value).items():
                print(shown(f"{group}.{field} = {setting!r}"))
        else:
            print(shown(f"{group} = {value}"))


def clock(seconds: float) -> str:
    """75.2 as 1:15, 4000 as 1:06:40."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


@contextmanager
def stop_on_interrupt(say: bool = True) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, SIGTERM or closed terminal into a flag, so that a step ends and its work is saved."""
    seen: list[float] = []

    def note(number: int, frame: object) -> None:
        now = time.monotonic()
        if seen and (now - seen[0] > 2 or not launched()):  # the second time, stop at once
            raise KeyboardInterrupt
        if say and not seen:
            print("\nstopping after the next few steps (again to stop at once) ...", file=sys.stderr)
        seen.append(now)  # at once again: a launcher hands on the Ctrl-C that the terminal gave to all

    # A launcher that has lost a process sends SIGTERM to the others, which have yet to say so.
    with answering(note, until_said=launched()):
        yield lambda: bool(seen)


@contextmanager
def stop_at_once() -> Iterator[None]:
    """Before there is work to save, a first Ctrl-C is the last; so are SIGTERM and a closed terminal."""
    with answering(signal.default_int_handler):
        yield


@contextmanager
def answering(handler: Callable[[int, Any], Any], until_said: bool = False) -> Iterator[None]:
    """Have `handler` answer Ctrl-C, SIGTERM and a closed terminal; a thread beside the main one hears none of them.

    With `until_said` it goes on to do so after an error, which the process is about to print before it ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as after nohup
        asked.append(signal.SIGHUP)
    old, going_on = {number: signal.signal(number, handler) for number in asked}, False
    try:
        yield
    except Exception:
        going_on = until_said
        raise
    finally:
        for number, before in () if going_on else old.items():
            signal.signal(number, before)
