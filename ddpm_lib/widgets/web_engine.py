"""Where the engine of the pages is found: the only file of the widgets that knows.

`engine_source()` is the text of a worker, `web_detail(checkpoint)` what it is to load, and
`write_page_script(path, checkpoint)` puts both into one script for the pages of a book.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddpm_lib.checkpoint import Checkpoint

NONE = 'onmessage = () => postMessage({ type: "error", message: "This copy of the course has no engine." });'


def _engine(module: str) -> Any:
    try:
        return importlib.import_module(f"ddpm_lib.web.{module}")
    except ModuleNotFoundError:
        return None


def engine_source() -> str:
    """The worker's source."""
    engine = _engine("engine")
    return engine.engine_source() if engine else NONE


def web_detail(checkpoint: Checkpoint) -> dict[str, Any]:
    """The weights and what belongs to them, as JSON can hold it."""
    export = _engine("export")
    about = {"config": asdict(checkpoint.model_config), "T": checkpoint.schedule.T}
    return export.detail(checkpoint) if export else about


def write_page_script(path: Path, checkpoint: Checkpoint) -> None:
    """Write the script that a page loads when a reader presses Generate: the engine, then its weights."""
    events = {"ddpm-engine": engine_source(), "ddpm-weights": web_detail(checkpoint)}
    lines = (
        f'document.currentScript.dispatchEvent(new CustomEvent("{name}", {{ detail: {json.dumps(detail)} }}));\n'
        for name, detail in events.items()
    )
    path.write_text("".join(lines), encoding="utf-8")
