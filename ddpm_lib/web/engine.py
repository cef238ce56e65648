"""The engine's source: what a Web Worker runs to draw images in a page, with no library and no request.

A page makes the worker from this text alone, so that it works from a file and inside a sandboxed frame:

    new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))

It hears `load` (the `detail` of a file of weights, export.py), `run`, `pause`, `resume`, `step` and `cancel`, and
answers `loaded`, `state` after every step, `done` and `error`; worker.js says what each holds.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
CORE = ("matmul.js", "unet.js", "weights.js", "sampler.js")  # classes and functions, in any order
FILES = (*CORE, "worker.js")


def engine_source() -> str:
    """The text of the worker, without its comments (the files in ddpm_lib/web/ have them)."""
    return without_comments(*FILES)


def without_comments(*names: str) -> str:
    """These files one after another, less comments that fill a line or a block of lines, indents and empty lines."""
    text = "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
    text = re.sub(r"^\s*/\*\*.*?\*/[ ]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"
