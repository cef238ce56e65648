"""The library's own source, shown in a chapter: nothing is retyped, so nothing can differ."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any


class Listing(str):
    """Python source that a notebook shows with its own colours, light or dark."""

    def _repr_markdown_(self) -> str:
        return f"```python\n{self}\n```"

    def __repr__(self) -> str:
        return str(self)


def source(of: Callable[..., Any] | type) -> Listing:
    """The source of a function, a method or a class of `ddpm_lib`, without its indent."""
    return Listing(textwrap.dedent(inspect.getsource(of)).rstrip())
