"""The script that a page loads when a reader presses Generate: the engine, then the network that it runs."""

from __future__ import annotations

import json
from pathlib import Path

from ddpm_lib.checkpoint import Checkpoint
from ddpm_lib.web.engine import engine_source
from ddpm_lib.web.export import AFTER, BEFORE, web_script


def write_page_script(path: Path, checkpoint: Checkpoint) -> None:
    """Write both as events on the script's own element; nothing becomes global."""
    engine = BEFORE.replace("ddpm-weights", "ddpm-engine") + json.dumps(engine_source()) + AFTER
    path.write_text(engine + web_script(checkpoint), encoding="utf-8")
