"""Whether what is asked for can fit into this machine at all."""

from __future__ import annotations

import os

from ddpm_lib.data.errors import DataError


def check_memory(needed: int, what: str, instead: str) -> None:
    """Raise DataError where `what` takes more than the memory of this machine, of `needed` bytes: do `instead`."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", ()):
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise DataError(
            f"{what} take {needed / 1e9:,.1f} GB of memory, and this machine has {memory / 1e9:,.1f}: {instead}."
        )
