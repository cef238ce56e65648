"""The library's own source, shown in a chapter: nothing is retyped, so nothing can differ."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Listing(str):
    """Source that a notebook shows with its own colors, light or dark."""

    language = "python"

    def _repr_markdown_(self) -> str:
        return f"```{self.language}\n{self}\n```"

    def __repr__(self) -> str:
        return str(self)


def source(of: Callable[..., Any] | type) -> Listing:
    """The source of a function, a method or a class of `ddpm_lib`, without its indent."""
    return Listing(textwrap.dedent(inspect.getsource(of)).rstrip())


class JavaScript(Listing):
    """Source in JavaScript."""

    language = "javascript"


def javascript(file: str, *starts: str) -> JavaScript:
    """Parts of a file of the engine, such as "unet.js": each from the line that begins so to the end of its block."""
    lines = (Path(__file__).parent.parent / "web" / file).read_text(encoding="utf-8").splitlines()
    return JavaScript("\n\n".join(_block(file, lines, start) for start in starts))


def _block(file: str, lines: list[str], start: str) -> str:
    found = [i for i, line in enumerate(lines) if line.strip().startswith(start)]
    if len(found) != 1:
        raise ValueError(
            f"{len(found)} lines of {file} begin with {start!r}: name the beginning of one line."
        )
    first = found[0]
    indent = len(lines[first]) - len(lines[first].lstrip())
    # A block ends where a line of the same indent closes it, a text where its quote does; a statement of one line is
    # its own end.
    end = first
    if lines[first].endswith("`"):
        while not lines[end].endswith("`;"):
            end += 1
    elif not lines[first].endswith(";"):
        while not lines[end].startswith(" " * indent + "}"):
            end += 1
    return textwrap.dedent("\n".join(lines[first : end + 1]))
