"""The script that a page loads when a reader presses Generate: the engine, then the network that it runs."""

from __future__ import annotations

import json
from pathlib import Path

from ddpm_lib.checkpoint import Checkpoint
from ddpm_lib.web.engine import engine_source
from ddpm_lib.web.export import detail


def write_page_script(path: Path, checkpoint: Checkpoint) -> None:
    """Write both as events on the script's own element; nothing becomes global."""
    events = {"ddpm-engine": engine_source(), "ddpm-weights": detail(checkpoint)}
    lines = (
        f'document.currentScript.dispatchEvent(new CustomEvent("{name}", {{ detail: {json.dumps(value)} }}));\n'
        for name, value in events.items()
    )
    path.write_text("".join(lines), encoding="utf-8")
