"""Train the networks of the ladder on this machine's idle time, one after the other, each resumable to the bit.

    python -m tools.background            start, or go on with, what is next, and return
    python -m tools.background --status   steps done, time left, and the hour at which each run will end
    python -m tools.background --stop     stop gently: the run saves its checkpoint and ends

A run has one thread at nice 19 and waits without spinning, so that all else comes first. Its checkpoint, losses and log
lie in runs/<preset>. It runs from a copy of the package in runs/<preset>/frozen, made when it first started here: what
Python imports late in a run of days would else come from code that was edited since.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from safetensors import safe_open

from benchmarks.rungs import find
from ddpm_lib.cli.common import clock
from ddpm_lib.models.trained import kind_of
from ddpm_lib.train.presets import LADDER, PRESETS
from tools.keeper import elsewhere, keep, lock
from tools.serve import ROOT

FIRST, LAST = "classic-half", "classic-unet"
# The other rungs by what their ten epochs cost.
CHEAP = ("classic-resnet", "timed-resnet", "classic-small", "wide-resnet")
SAVE_EVERY = 300  # seconds between two checkpoints


def queue() -> list[str]:
    """The presets in order: the half-width network, the cheap rungs, the whole one."""
    return [FIRST, *(name for name in CHEAP if name in LADDER), LAST]


def next_up(runs: Path) -> str | None:
    """The first of the queue that is neither trained to its end in `runs` nor shipped; None when all are."""
    return next((name for name in queue() if find(name, [runs]) is None), None)


def command(name: str, runs: Path, options: list[str]) -> list[str]:
    """What trains a preset, or goes on with its checkpoint."""
    checkpoint = runs / name / "checkpoint.safetensors"
    begin = [kind_of(PRESETS[name].model), "--preset", name, *options]
    what = ["--resume", str(checkpoint)] if checkpoint.is_file() else begin
    where = ["--out", str(runs / name), "--device", "cpu", "--save-every", str(SAVE_EVERY)]
    return [sys.executable, "-m", "ddpm_lib", "train", *what, *where]


def start(runs: Path, options: list[str], nice: int = 19) -> int:
    """Start the keeper, unless there is one or nothing is left."""
    name = next_up(runs)
    if name is None:
        print("All networks of the ladder are trained.")
        return 0
    held = lock(runs)
    other = elsewhere(name, runs) if held else None
    if held is None or other:
        print(
            f"A run is in progress already{f' (process {other})' if other else ''}: see --status, or --stop it."
        )
        return 1
    held.close()
    (runs / name).mkdir(parents=True, exist_ok=True)
    with (runs / name / "log.txt").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tools.background", "--keep", "--runs", str(runs), "--nice", str(nice), *options],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    print(f"{name} runs in the background (process {keeper.pid}): ask --status, stop with --stop.")
    return 0


def stop(runs: Path) -> int:
    """Ask the keeper to end, and wait until the checkpoint is written."""
    held = lock(runs)
    if held is not None:
        print("Nothing was started from here.")
        return 1
    os.kill(int((runs / "background.pid").read_text()), signal.SIGINT)
    print("stopping after the next few steps ...", flush=True)
    while (held := lock(runs)) is None:
        time.sleep(0.2)
    print("Stopped; its checkpoint is written.")
    return 0


def status(runs: Path) -> int:
    """A line for each network of the queue."""
    for name in queue():
        print(f"{name:16}{_line(name, runs)}")
    return 0


def _line(name: str, runs: Path) -> str:
    folder, total = runs / name, PRESETS[name].train.steps
    if find(name, [runs]) is not None:
        return "trained"
    step, seconds = 0, 0.0
    if (folder / "checkpoint.safetensors").is_file():
        with safe_open(folder / "checkpoint.safetensors", framework="pt") as file:
            header = json.loads(file.metadata()["config"])
        step, seconds = header["step"], header["seconds"] / max(header["step"], 1)
    words, now = f"{step:,} of {total:,} steps are saved", elsewhere(name, runs)
    if now and (folder / "log.txt").is_file():
        words += "".join(re.findall(r", step [\d,]+", (folder / "log.txt").read_text()[-4000:])[-1:])
    if not seconds:
        return words
    left = (total - step) * seconds
    ends = f"ends {datetime.now() + timedelta(seconds=left):%a %d %b, %H:%M}" if now else "not running"
    return f"{words}, {clock(left)} left, {ends}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="say how far each network is")
    what.add_argument("--stop", action="store_true", help="stop gently")
    parser.add_argument("--nice", type=int, default=19, help="how far it gives way, 0 to 19 (default: 19)")
    what.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="where the runs lie (default: runs)")
    args, options = parser.parse_known_args()
    runs = args.runs.resolve()
    if args.status:
        return status(runs)
    if args.stop:
        return stop(runs)
    if args.keep:
        return keep(runs, next_up, lambda name: command(name, runs, options), args.nice)
    return start(runs, options, args.nice)


if __name__ == "__main__":
    sys.exit(main())
