"""A run that is killed again and again, with a second process on it, on a disk that is full half of the time.

For disk_script.py. Runs are forked from a process that never trains itself: none has to load torch anew.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
import torch._dynamo  # an optimizer loads it: here once, and not in each run

from ddpm_lib.__main__ import main
from ddpm_lib.cli.keep import stamp
from ddpm_lib.models.storage import CHECKPOINT, read
from ddpm_lib.train.checkpoint import load_checkpoint
from tests.tiny import CPU, train

STEPS = 80  # of the run, for each time that it is killed
REFUSED = ("Another run is training in", "was written by another run meanwhile")
ELSEWHERE = "The run was saved in "


def forked(run: Path, photos: Path, steps: int, said: Path, every: str = "0.001") -> int:
    """The process, by its number, of a run of so many steps that goes on where it was, and writes what it says."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        with said.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        more = ["--steps", str(steps), "--save-every", every]
        new = not (run / CHECKPOINT).exists()
        status = train(photos, run, *more) if new else main(["train", "--resume", str(run), *more, *CPU])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def ended(pid: int, wait: bool = True) -> int | None:
    """The status of a process, negative for the signal that ended it; None while it lives, unless `wait`."""
    found, status = os.waitpid(pid, 0 if wait else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def killed(pid: int) -> int:
    """Kill it, if it lives; its status."""
    if (status := ended(pid, wait=False)) is not None:
        return status
    os.kill(pid, signal.SIGKILL)
    return ended(pid) or 0


def rows(run: Path) -> list[int]:
    """The steps of the whole rows of a log."""
    lines = (run / "loss.csv").read_text().splitlines(keepends=True)
    return [int(line.partition(",")[0]) for line in lines if line.endswith("\n")]


def kill_again_and_again(
    disk: Path, photos: Path, kills: int, seed: int, fill: Callable[[Path, int], None] | None
) -> int:
    """How many living runs were killed. AssertionError where anything was lost on the way or at the end.

    `fill(disk, leave)` takes all room of the disk but so many bytes, and unlinking `ballast` gives it back.
    """
    rng, run, here = random.Random(seed), disk / "run", Path.cwd()
    total, at, hits, ballast = STEPS * kills, 0, 0, disk / "ballast"
    said = [here / "first.txt", here / "second.txt"]
    for _ in range(kills):
        before = stamp(run / CHECKPOINT)
        first, status = forked(run, photos, total, said[0]), None
        while stamp(run / CHECKPOINT) == before and (status := ended(first, wait=False)) is None:
            time.sleep(0.01)
        second = forked(run, photos, total, said[1])
        if fill and rng.random() < 0.5:
            fill(disk, rng.randrange(2 * (run / CHECKPOINT).stat().st_size))
        statuses = []
        for pid in (first, second):
            time.sleep(rng.uniform(0, 0.1))
            # the second was refused, or took over when the first was gone
            statuses.append(status if pid == first and status is not None else killed(pid))
        hits += statuses.count(-signal.SIGKILL)
        for each, status in zip(said, statuses, strict=True):
            text = each.read_text()
            assert status in (0, -signal.SIGKILL) or any(why in text for why in (*REFUSED, ELSEWHERE)), text
        ballast.unlink(missing_ok=True)
        step = load_checkpoint(run).step
        assert at <= step <= total
        at = step
        assert rows(run) == sorted(set(rows(run)))
    elsewhere = run
    if fill and at < total:  # the end finds no room
        fill(disk, 8192)
        assert ended(forked(run, photos, total, said[0])) == 2
        elsewhere = Path(said[0].read_text().rpartition("--resume ")[2].strip().rstrip("`."))
        assert load_checkpoint(run).step == at
        ballast.unlink()
    assert ended(forked(run, photos, total, said[0])) == 0, said[0].read_text()
    assert ended(forked(here / "straight", photos, total, said[1], every="600")) == 0, said[1].read_text()
    straight = read(here / "straight")[1]
    for each in {run, elsewhere}:
        found = read(each)[1]
        assert found.keys() == straight.keys()
        for name, tensor in straight.items():
            assert torch.equal(tensor, found[name]), (each, name)
    assert load_checkpoint(run).step == total == rows(run)[-1]
    assert sorted(path.name for path in run.iterdir()) == [CHECKPOINT, "loss.csv"]
    return hits
