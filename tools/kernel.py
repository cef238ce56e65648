"""nbval's kernel, made patient: it waits as long as a cell may take, notices a death, and hands messages on.

nbval reads what a kernel publishes only to compare it, and drops what it does not know, such as a display that is
updated. Here a listener hears every message of the running cell (tools/execute.py files them as outputs).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

from nbval import plugin  # type: ignore[import-untyped]
from nbval.kernel import RunningKernel  # type: ignore[import-untyped]

CELL_LIMIT = 3600  # seconds that a cell may take, on however slow or busy a machine
START_LIMIT = 600  # seconds that a kernel may take to start
SILENCE_LIMIT = 120  # seconds between two messages of a cell that has ended
LOOK = 1.0  # seconds between two looks at whether the kernel lives

Message = dict[str, Any]


class KernelDied(RuntimeError):
    """The kernel's process ended while a cell ran; most often memory ran out."""


class Kernel(RunningKernel):  # type: ignore[misc]
    """A running kernel with a listener."""

    language_info: dict[str, Any]  # what the kernel says of its language
    hear: Callable[[Message], None] | None = None  # called with every message of the running cell
    wait: Callable[[], None] | None = None  # called about once a second while a cell runs
    running: str | None = None  # the id of the running cell's request

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell; return the request's id."""
        self.running = str(super().execute_cell_input(cell_input, allow_stdin))
        return self.running

    def get_message(self, stream: str, timeout: float | None = None) -> Message:
        """The next message of a stream; Empty after `timeout` seconds without one."""
        while True:
            message: Message = super().get_message(stream, timeout)
            if message["msg_type"] == "kernel_info_reply":
                self.language_info = message["content"]["language_info"]
            ours = stream == "iopub" and message["parent_header"].get("msg_id") == self.running
            if ours and self.hear is not None:
                self.hear(message)
            if message["msg_type"] not in ("update_display_data", "clear_output"):  # nbval complains of these
                return message

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for a request's end; Empty after `timeout` seconds, KernelDied when it cannot come any more."""
        end = time.monotonic() + (START_LIMIT if timeout is None else timeout)
        while True:
            try:
                super().await_reply(msg_id, timeout=min(LOOK, max(end - time.monotonic(), 0)))
                return
            except Empty:
                if not self.is_alive():
                    raise KernelDied("the kernel died (most often because memory ran out)") from None
                if time.monotonic() >= end:
                    raise
            if self.wait is not None:
                self.wait()


def use() -> None:
    """Let nbval run its notebooks in such kernels."""
    plugin.RunningKernel = Kernel
