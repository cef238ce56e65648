"""Measure many arms, one after the other or several at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

import torch

Arm = TypeVar("Arm")
Found = TypeVar("Found")


def in_turn(
    arms: Sequence[Arm], measure: Callable[[Arm], Found], until: float, jobs: int = 1
) -> Iterator[tuple[Arm, Found]]:
    """(arm, what was measured), as they end. No arm is begun that would not end by `until` (time.monotonic).

    How long an arm takes is judged by the longest so far. With more than one job `measure` and what it returns go from
    process to process: no lambdas, no tensors. A small network leaves most of a GPU idle, so several take little
    longer than one; where the processes cannot share the GPU (NVIDIA's multi-process service), they take turns.
    """
    longest = 0.0
    if jobs == 1:
        for arm in arms:
            begun = time.monotonic()
            if begun + longest > until:
                return
            yield arm, measure(arm)
            longest = max(longest, time.monotonic() - begun)
        return
    waiting = list(arms)
    running: dict[Future[Found], tuple[Arm, float]] = {}
    context = multiprocessing.get_context("spawn")  # CUDA does not outlive a fork
    with ProcessPoolExecutor(jobs, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        while True:
            while waiting and len(running) < jobs and time.monotonic() + longest <= until:
                arm = waiting.pop(0)
                running[pool.submit(measure, arm)] = arm, time.monotonic()
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                arm, begun = running.pop(future)
                longest = max(longest, time.monotonic() - begun)
                yield arm, future.result()


def add_jobs(parser: Any) -> None:
    """The options of a benchmark whose arms can be measured anywhere."""
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--jobs", type=int, default=1, help="arms measured at once (default: 1)")
