"""The process that keeps the time: it starts the worker, writes results as they come, and starts it anew if it dies.

A CUDA error leaves a process unable to do anything else, so a piece that fails ends its worker, and the next piece gets
a new one. This process needs neither torch nor a GPU.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from tools.gpu.outbox import BIG, OutboxError, pack, unpack
from tools.gpu.state import FAILED, State

ROOT = Path(__file__).parent.parent.parent
GRACE = 5.0  # seconds kept to stop the worker and to write what it left
EVERY = 3.0  # seconds between two looks at what there is
TINY_BIG = 40_000  # in a rehearsal: large enough for some weights to go by themselves


def supervise(out: Path, end: float, tiny: bool, only: list[str] | None) -> int:
    """Run the pieces until `end`, in seconds of time.monotonic; the status says whether any piece failed."""
    out.mkdir(parents=True, exist_ok=True)
    big = TINY_BIG if tiny else BIG

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        with tempfile.TemporaryDirectory() as scratch, (out / "log.txt").open("a") as log:
            work = Path(scratch)
            try:
                unpack(out, work)
            except OutboxError as error:
                print(f"{error} (Or begin with an empty folder.)", file=sys.stderr)
                return 2
            state = State(work)
            state.begin_anew()
            status = _run(work, out, end, tiny, only, log, big)
            for line in pack(work, out, big) if status != 2 else ():
                _say(log, line)
            if status == 2:
                return 2
            for line in State(work).summary():
                _say(log, line)
            return 1 if State(work).failed else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(work: Path, out: Path, end: float, tiny: bool, only: list[str] | None, log: TextIO, big: int) -> int:
    while (left := end - GRACE - time.monotonic()) > 0:
        command = [sys.executable, "-m", "tools.gpu", "--worker", str(work), "--minutes", str(left / 60)]
        command += ["--tiny"] if tiny else []
        command += ["--only", *only] if only else []
        # TQDM_MININTERVAL: a bar is not drawn over and over in a log
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TQDM_MININTERVAL": "30"}
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,  # the processes that it starts end with it
        )  # fmt: skip
        assert worker.stdout is not None
        reader = threading.Thread(target=_copy, args=(worker.stdout, log), daemon=True)
        reader.start()
        status: int | None = None
        try:
            while status is None and time.monotonic() < end - GRACE:
                try:
                    status = worker.wait(timeout=min(EVERY, max(end - GRACE - time.monotonic(), 0.1)))
                except subprocess.TimeoutExpired:
                    pack(work, out, big)
        except KeyboardInterrupt:
            _say(log, "==> stopped from outside: what is done is kept")
            return 1
        finally:
            _end(worker)
        if status is None:
            State(work).out_of_time()
            return 0
        reader.join(timeout=5)
        if status in (0, 2):
            return status
        if status != FAILED:
            State(work).died(status)
    return 0


def _end(worker: subprocess.Popen[str]) -> None:
    """End the worker, if it has not ended, and what it has started."""
    if worker.poll() is None:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=2)
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _copy(source: TextIO, log: TextIO) -> None:
    for line in source:
        _say(log, line.rstrip("\n"))


def _say(log: TextIO, line: str) -> None:
    print(line, flush=True)
    log.write(line + "\n")
    log.flush()
