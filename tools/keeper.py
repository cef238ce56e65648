"""The process that keeps trainings going in the background: one a folder, at the lowest priority, gently stopped."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from benchmarks.machine import machine
from tools.serve import ROOT

QUIET = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "PYTHONUNBUFFERED": "1",
}


def freeze(name: str, runs: Path) -> Path:
    """The copy of the package that a run uses, made once."""
    copy, part = runs / name / "frozen", runs / name / "frozen.part"
    if not copy.is_dir():
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(ROOT / "ddpm_lib", part / "ddpm_lib", ignore=shutil.ignore_patterns("__pycache__"))
        part.rename(copy)
    return copy


def elsewhere(name: str, runs: Path) -> int | None:
    """The process that trains into that folder already, whoever started it; only Linux tells."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "ddpm_lib" in words and "train" in words and any(str(runs / name) in word for word in words):
            return int(entry.parent.name)
    return None


def lock(runs: Path) -> TextIO | None:
    """The lock that the one keeper of `runs` holds as long as it lives; None where another has it."""
    runs.mkdir(parents=True, exist_ok=True)
    file = (runs / "background.pid").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def give_way(process: int, nice: int) -> None:
    """Let the session that `process` leads come after all others.

    Linux may schedule each session as a group (autogroup), and then nice counts only among the processes of one.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/autogroup").write_text(str(nice))


def keep(
    runs: Path, next_up: Callable[[Path], str | None], command: Callable[[str], list[str]], nice: int
) -> int:
    """Train `next_up` by `command` until nothing is left, or until SIGINT; one process a folder of runs."""
    held = lock(runs)
    if held is None:
        return 1
    held.truncate(0)
    held.write(f"{os.getpid()}\n")
    held.flush()
    os.nice(nice)
    running: list[subprocess.Popen[bytes]] = []
    stopped: list[int] = []

    def stop_once(number: int, frame: object) -> None:
        if not stopped:
            stopped.append(number)
            for process in running:
                process.send_signal(signal.SIGINT)  # it saves and ends; a second one would not let it save

    signal.signal(signal.SIGINT, stop_once)
    signal.signal(signal.SIGTERM, stop_once)
    while not stopped and (name := next_up(runs)) is not None:
        copy = freeze(name, runs)
        about = {**machine(), "threads": 1}
        (runs / name / "machine.json").write_text(json.dumps(about, indent=1) + "\n")
        environment = {**os.environ, **QUIET, "PYTHONPATH": str(copy)}
        with (runs / name / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                command(name), cwd=copy, env=environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            running[:] = [process]
            give_way(process.pid, nice)
            if stopped:  # between the question above and now
                process.send_signal(signal.SIGINT)
            if process.wait():
                return process.returncode
    return 0
