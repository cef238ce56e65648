"""What a command prints is text to the last letter: a terminal obeys nothing that stands in a name from a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO, Any, cast

from ddpm_lib import shown


class Plain:
    """A stream whose control characters are escaped, except those that `obeyed` names.

    What its encoding cannot express is escaped too, such as a file's name that is no Unicode.
    """

    def __init__(self, stream: Any, obeyed: str) -> None:
        self.stream, self.obeyed = stream, obeyed

    def write(self, text: str) -> int:
        """Write the text, escaped."""
        plain = "".join(c if c in self.obeyed else shown(c) for c in text)
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        self.stream.write(plain.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def plain_output() -> Iterator[None]:
    """Whatever is printed in here is escaped; a progress bar may go back to the beginning of its line."""
    out, err = Plain(sys.stdout, "\n"), Plain(sys.stderr, "\n\r")
    with redirect_stdout(cast(IO[str], out)), redirect_stderr(cast(IO[str], err)):
        yield
