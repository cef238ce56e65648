"""The networks that a published page offers, each in a file beside the pages that is loaded when a reader presses."""

from __future__ import annotations

from typing import Any

from ddpm_lib.widgets.generator.network import FEW, SHIPPED

# The files of the published pages' networks, counted from the book's root; tools/sphinx_course.py writes them.
URL, FEW_URL = "_static/generate-weights.js", "_static/generate-few.js"
# What a page sets when a reader chooses one of them: the student draws in one step, and without guidance.
NETWORKS: list[dict[str, Any]] = [
    {"name": SHIPPED, "url": URL, "python": "", "steps": 50, "w": 0.5},
    {"name": FEW, "url": FEW_URL, "python": f'load("{FEW}"), ', "steps": 1, "w": 0},
]
