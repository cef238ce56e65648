"""`python -m ddpm_lib ...` in which process 1 is killed when it asks for batch 25: for test_processes.py."""

import os
import signal
import sys
from typing import Any

import ddpm_lib.data.stream.open as door
from ddpm_lib.__main__ import main
from ddpm_lib.data import Batches


class Deadly(Batches):
    """Batches on a machine that fails."""

    def __call__(self, step: int) -> Any:
        """The batch, or the end."""
        if step == 25 and self.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(step)


door.Batches = Deadly  # type: ignore[misc]
sys.exit(main(sys.argv[1:]))
