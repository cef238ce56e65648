"""Run a task on each of several chapters, a few at once, each in a process of its own that says how far it is."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

AT_ONCE = 2  # chapters; each needs about a gigabyte
# Forked where there is such a thing: what the parent has loaded need not be loaded again.
METHOD = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
PROCESSES: Any = multiprocessing.get_context(METHOD)  # its type depends on the method

Say = Callable[..., None]  # of a chapter: say("cell", 3, "fo-jump")


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _child(task: Callable[..., None], path: Path, pipe: Connection, log: Path, threads: int) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    output = os.open(log, os.O_CREAT | os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, closefd=False)
    task(path, say=lambda *words: pipe.send(words))


def run(
    task: Callable[..., None], paths: list[Path], hear: Callable[..., None], at_once: int
) -> dict[Path, str]:
    """What each `task(path, say=...)` printed, by path; `hear(path, *words)` is called here with what a task says.

    The threads of torch in all of them together are as many as there are cores, unless OMP_NUM_THREADS is set.
    """
    waiting, printed = list(paths), {}
    threads = max(1, cores() // at_once)
    running: dict[Connection, tuple[Path, BaseProcess, Path]] = {}
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < at_once:
                path, log = waiting.pop(0), Path(folder) / str(len(waiting))
                ours, theirs = PROCESSES.Pipe(duplex=False)
                process = PROCESSES.Process(
                    target=_child, args=(task, path, theirs, log, threads), daemon=True
                )
                process.start()
                theirs.close()  # so that its end is the pipe's
                running[ours] = path, process, log
            ready = wait(list(running))
            for pipe in [pipe for pipe in running if pipe in ready]:
                path, process, log = running[pipe]
                try:
                    hear(path, *pipe.recv())
                except EOFError:
                    process.join()
                    printed[path] = log.read_text(errors="replace") if log.is_file() else ""
                    del running[pipe]
    return printed
