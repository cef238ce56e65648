"""The script that a page loads when a reader presses Generate: the worker, then the network that it runs."""

from __future__ import annotations

import json
from pathlib import Path

from ddpm_lib.models.trained import Trained
from ddpm_lib.web.export import AFTER, BEFORE, detail, json_for_pages
from ddpm_lib.web.worker_source import worker_source


def page_script(worker: str, weights: str) -> str:
    """The worker's source and a network as JSON, as events on the script's own element; nothing becomes global."""
    return (
        BEFORE.replace("ddpm-weights", "ddpm-worker") + json.dumps(worker) + AFTER + BEFORE + weights + AFTER
    )


def write_page_script(path: Path, checkpoint: Trained) -> None:
    """Write the worker of this package and the network of a checkpoint."""
    path.write_text(page_script(worker_source(), json_for_pages(detail(checkpoint))), encoding="utf-8")
