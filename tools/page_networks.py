"""Networks that a chapter trained, moved out of its page into files that a reader loads with a press.

`GenerateWidget(model)` puts a reader's own network into its output, for a notebook is one file. In a page of the book
it would be a megabyte for every reader, and few of them press. While the book is built, each such network becomes a
file in _static, of the same kind as the shipped one's, and the page keeps its address.
"""

from __future__ import annotations

import html
import json
import re
import zlib
from pathlib import Path

from ddpm_lib.web.page_script import page_script

STATE = re.compile(r'data-ddpm-state="([^"]*)"')


def move_networks(body: str, folder: Path) -> str:
    """The page's HTML with each network that lies in it written into a file of `folder`/_static instead."""

    def moved(found: re.Match[str]) -> str:
        state = json.loads(html.unescape(found[1]))
        if not state.get("weights"):
            return found[0]
        script = page_script(state["worker"], state["weights"])
        url = f"_static/network-{zlib.crc32(script.encode()):08x}.js"
        (folder / "_static").mkdir(parents=True, exist_ok=True)
        (folder / url).write_text(script, encoding="utf-8")
        state |= {"weights": "", "worker": "", "url": url}
        return f'data-ddpm-state="{html.escape(json.dumps(state, separators=(",", ":")))}"'

    return STATE.sub(moved, body)
