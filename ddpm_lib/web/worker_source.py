"""The worker's source: what draws images in a page, with no library and no request.

A page makes the worker from this text alone, so that it works from a file and inside a sandboxed frame:

    new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))

It hears `load` (the `detail` of a file of weights, export.py), `run`, `pause`, `resume`, `step` and `cancel`, and
answers `loaded`, `state` after every step, `done` and `error`; worker.js says what each holds.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
STRICT = '"use strict";\n'
# Classes and functions alone, each file after those it builds on; the last one talks to the page.
CORE = (
    *("heap.js", "matmul.js", "silu.js", "channels.js", "winograd.js", "layers.js", "unet.js"),
    *("weights.js", "normal.js", "sampler.js", "wish.js", "edit.js"),
)
FILES = (*CORE, "worker.js")
# What trains a small network in the plane (folder learn): the same rules, another worker.
LEARN_CORE = (
    *("heap.js", "matmul.js", "silu.js", "normal.js", "sampler.js"),
    *(
        f"learn/{name}.js"
        for name in ("table", "panels", "mlp", "optimizer", "state_dict", "learner", "oracle", "walk")
    ),
)
LEARN_FILES = (*LEARN_CORE, "learn/worker.js")
# What trains a network for images (folder learn/images).
IMAGES_CORE = (
    *("heap.js", "matmul.js", "silu.js", "channels.js", "normal.js", "sampler.js"),
    *("learn/table.js", "learn/optimizer.js"),
    *(
        f"learn/images/{name}.js"
        for name in ("tape", "norm", "attention", "denoiser", "state", "learner", "team")
    ),
)
IMAGES_FILES = (*IMAGES_CORE, "learn/images/worker.js")


def worker_source() -> str:
    """The text of the worker, without its comments (the files in ddpm_lib/web/ have them)."""
    return without_comments(*FILES)


def learn_source() -> str:
    """The text of the worker that trains; learn/worker.js says what it hears and answers."""
    return without_comments(*LEARN_FILES)


def images_source() -> str:
    """The text of the worker that trains on images; learn/images/worker.js says what it hears and answers."""
    return without_comments(*IMAGES_FILES)


def without_comments(*names: str) -> str:
    """These files of ddpm_lib/web, one after another, as `lean` leaves them; strict from the first line."""
    text = lean("\n".join((HERE / name).read_text(encoding="utf-8") for name in names))
    return STRICT + text.replace(STRICT, "") + "\n"


def lean(text: str) -> str:
    """JavaScript less comments, indents, empty lines, and blanks around signs where a line holds no string.

    No string may run over a line's end. A comment after code stays where it holds a quote, for it may be in a string.
    esbuild would do better, but needs Node where somebody installs this package or makes a widget of her own.
    """
    text = re.sub(r"^\s*/\*\*.*?\*/[ ]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"/\*\* @(type|param) .*?\*/ ?", "", text)
    lines = (re.sub(r"(^|\s+)//\s[^\"'`]*$", "", line).strip() for line in text.splitlines())
    return "\n".join(_tight(line) for line in lines if line and not line.startswith("//"))


def _tight(line: str) -> str:
    """A slash may begin a regular expression, which is a string too, and ${ stands in a longer one."""
    return line if re.search("[\"'`/$]", line) else re.sub(r" ?(=>|[=,{}?:;]|&&|\|\|) ?", r"\1", line)
