"""What a reader waits for a first digit in Firefox: from the press of Generate in a page opened from the disk."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from tests.firefox import BUTTON, find_firefox, firefox

WIDGET = "document.querySelector('.ddpm-generate').dataset"


def from_the_press(page: Path, repeats: int) -> dict[str, Any] | str:
    """The waits of so many visits to `page`, in milliseconds, and the steps; a sentence where there is no Firefox."""
    path = find_firefox()
    if path is None:
        return "not measured: no Firefox was found"
    waits, steps = [], 0
    with firefox(path) as window:
        version = window.run("return navigator.userAgent.split(' ').pop()")
        for _ in range(repeats):
            window.open(page.as_uri())
            window.press(window.run(BUTTON, ".ddpm-generate", "Generate"), "Enter")
            window.wait(f"/done|error/.test({WIDGET}.state)")
            waits.append(int(window.run(f"return {WIDGET}.ms")))
            steps = int(window.run(f"return {WIDGET}.step"))
    return {
        "browser": version,
        "median": round(statistics.median(waits)),
        "longest": max(waits),
        "steps": steps,
    }
