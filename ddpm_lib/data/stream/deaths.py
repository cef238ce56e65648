"""Worker processes that are killed: heard where a batch is asked for, and not in the middle of a training step."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from ddpm_lib.data.errors import DataError


class WorkerDied(DataError):
    """A process that read ahead is gone; the message says what to do."""


class Deaths:
    """Takes over the answer that DataLoader gives when a child process ends, which is an error, wherever that may be.

    While `deaf`, an end is noted; `listen` gives the answer late. In a thread beside the main one, and on Windows, no
    signal is heard: DataLoader then finds out by itself, after five seconds without an image.
    """

    def __init__(self) -> None:
        self.deaf, self.missed, self.answer = False, False, None
        if hasattr(signal, "SIGCHLD") and threading.current_thread() is threading.main_thread():
            answer = signal.getsignal(signal.SIGCHLD)
            if callable(answer):
                self.answer = answer
                signal.signal(signal.SIGCHLD, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.missed = self.deaf
        if not self.deaf and self.answer is not None:
            self.answer(number, frame)

    def listen(self) -> None:
        """Be deaf no longer. Raises DataLoader's RuntimeError where a worker was killed meanwhile."""
        self.deaf = False
        if self.missed and self.answer is not None:
            self.missed = False
            self.answer(signal.SIGCHLD, None)

    def close(self) -> None:
        """Give the answer back to whom it was taken from."""
        self.deaf = False
        main = threading.current_thread() is threading.main_thread()
        if self.answer is not None and main and signal.getsignal(signal.SIGCHLD) == self._hear:
            signal.signal(signal.SIGCHLD, self.answer)


def killed(error: Exception) -> bool:
    """Whether an error in asking for a batch says that a worker is gone."""
    return isinstance(error, (ConnectionError, EOFError)) or str(error).startswith("DataLoader worker (pid")
