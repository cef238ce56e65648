"""The largest resident memory of a process, as the system counts it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak(process: int | str = "self") -> float:
    """In MB, since the process began: of this one, or on Linux of any by its number.

    Linux keeps `ru_maxrss` across exec, so that a small process would inherit the peak of a large parent; its own
    high-water mark stands in /proc. Elsewhere `ru_maxrss` has to do.
    """
    status = Path(f"/proc/{process}/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    if process != "self":
        raise OSError(f"The memory of process {process} is known on Linux only: measure there.")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
