"""The script that a page loads when a reader presses Generate: the engine, then the network that it runs."""

from __future__ import annotations

import json
from pathlib import Path

from ddpm_lib.models.trained import Trained
from ddpm_lib.web.engine import engine_source
from ddpm_lib.web.export import AFTER, BEFORE, detail


def page_script(engine: str, weights: str) -> str:
    """The worker's source and a network as JSON, as events on the script's own element; nothing becomes global."""
    return (
        BEFORE.replace("ddpm-weights", "ddpm-engine") + json.dumps(engine) + AFTER + BEFORE + weights + AFTER
    )


def write_page_script(path: Path, checkpoint: Trained) -> None:
    """Write the engine of this package and the network of a checkpoint."""
    path.write_text(page_script(engine_source(), json.dumps(detail(checkpoint))), encoding="utf-8")
