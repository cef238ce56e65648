"""Memory that runs out is a mistake in a command, and not a fault of the program: one sentence says what takes less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ddpm_lib import CourseError
from ddpm_lib.cli.common import typed

# RuntimeErrors of torch without a class of their own: the CPU's allocator, on Linux and Windows, a Mac's GPU, and the
# libraries of NVIDIA's.
WORDS = re.compile(
    r"can.t allocate memory|not enough memory|out of memory|Cannot allocate memory|\w+_STATUS_ALLOC_FAILED"
)
ASKED = re.compile(r"tried to allocate (\d[\d.]*) ?(bytes|[KMGT]i?B)", re.IGNORECASE)


class RanOut(CourseError):
    """Memory that ran out; the message says what takes less."""


@contextmanager
def enough_memory(work: str, less: str, saved: Path | None = None) -> Iterator[None]:
    """Raise RanOut, with what `work` was done and what takes `less`, where memory runs out in here.

    `saved` is where a run's last checkpoint may lie by then.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        asked = ASKED.search(str(error))
        more = f" (another {asked[1]} {asked[2]} was asked for)" if asked else ""
        kept = (
            f". Go on from the last save, with `train --resume {typed(saved)}`"
            if saved and saved.is_file()
            else ""
        )
        raise RanOut(f"Memory ran out {work}{more}: {less}{kept}.") from error


def ran_out(error: Exception) -> bool:
    """Whether an error of Python or of torch says that no memory is left, on whatever device."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or bool(WORDS.search(str(error)))


def smaller_steps(batch: int, accumulate: int, world: int, size: int | None) -> str:
    """What takes less memory in training: the next --accumulate that cuts the batch evenly, a batch or images."""
    own = batch // world
    cut = next((n for n in range(accumulate + 1, own + 1) if own % n == 0), None)
    ways = [f"--accumulate {cut} for the same step in less memory"] if cut else []
    ways += [f"a --batch below {batch}"] if batch > 1 else []
    ways += [f"a --size below {size}"] if size else []
    return f"pass {', or '.join(ways)}" if ways else "close other programs"
