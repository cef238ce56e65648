"""What a command prints is text to the last letter: a terminal obeys nothing that stands in a name from a file.

And printing ends no work: where nobody reads any more, or a log's disk is full, the command goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, Any, cast

from ddpm_lib import shown


class Plain:
    """A stream whose control characters are escaped, except those that `obeyed` names.

    What its encoding cannot express is escaped too, such as a file's name that is no Unicode. Where it cannot be
    written to, `lost` keeps the error, and what comes after goes nowhere; None is a stream that was closed already.
    """

    def __init__(self, stream: Any, obeyed: str) -> None:
        self.stream, self.obeyed = stream, obeyed
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        """Write the text, escaped."""
        plain = "".join(c if c in self.obeyed else shown(c) for c in text)
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self._try(lambda: self.stream.write(plain.encode(encoding, "backslashreplace").decode(encoding)))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._try(lambda: self.stream.flush())

    def _try(self, do: Callable[[], object]) -> None:
        if self.stream is None or self.lost:
            return
        try:
            do()
        except OSError as error:
            self.lost = error
            # What it still holds goes nowhere, or the interpreter would complain of it at its end.
            with suppress(OSError, AttributeError), open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), self.stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def plain_output() -> Iterator[Plain]:
    """Whatever is printed in here is escaped; a progress bar may go back to the beginning of its line.

    Yields what stands for stdout.
    """
    out, err = Plain(sys.stdout, "\n"), Plain(sys.stderr, "\n\r")
    with redirect_stdout(cast(IO[str], out)), redirect_stderr(cast(IO[str], err)):
        try:
            yield out
        finally:
            out.flush()
            err.flush()
