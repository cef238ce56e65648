"""What a reader waits for the first digit of a page that was opened from the disk: see benchmarks/in_browser.py."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from benchmarks.in_firefox import from_the_press as in_firefox_from_the_press
from ddpm_lib.web.page_script import page_script
from ddpm_lib.web.worker_source import worker_source
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.offered import URL
from tests.widget_page import document

KINDS = {"wasm-simd": "", "javascript": "const WebAssembly = undefined;"}

# When the worker was made, had its weights and was done, counted from the key; and the longest of the long tasks.
WATCH = """addEventListener("keydown", ({ timeStamp }) => {
  const [since, tasks, Plain] = [{}, [0], Worker];
  const mark = (name) => (since[name] ??= performance.now() - timeStamp);
  const list = (entries) => tasks.push(...entries.getEntries().map((task) => task.duration));
  new PerformanceObserver(list).observe({ type: "longtask" });
  window.Worker = class extends Plain {
    constructor(url) {
      mark("made");
      super(url);
      this.addEventListener("message", ({ data }) => mark(data.type));
    }
  };
  window.watched = () => [since.made, since.loaded - since.made, since.done - since.loaded, Math.max(...tasks)];
}, { capture: true, once: true });"""


def laid_out(book: Path, kind: str, weights: dict[str, Any]) -> Path:
    """A page with the generator in that folder, and the script that it loads."""
    (book / "page.html").write_text(document(GenerateWidget()), encoding="utf-8")
    (book / URL).parent.mkdir()
    script = page_script(KINDS[kind] + worker_source(), json.dumps(weights))
    (book / URL).write_text(script, encoding="utf-8")
    return book / "page.html"


def from_the_press(browser: Browser, kind: str, weights: dict[str, Any], repeats: int) -> dict[str, Any]:
    """What a reader waits for the first image of a page that was opened from the disk, and in how many steps."""
    waits, parts, steps = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        file = laid_out(Path(folder), kind, weights)
        for _ in range(repeats):
            page = browser.new_context().new_page()
            page.add_init_script(WATCH)
            page.goto(file.as_uri())
            widget = page.locator(".ddpm-generate")
            page.get_by_role("button", name="Generate", exact=True).press("Enter")
            expect(widget).to_have_attribute("data-state", re.compile("done|error"), timeout=120_000)
            waits.append(int(widget.get_attribute("data-ms") or 0))
            parts.append(page.evaluate("watched()"))
            steps = int(widget.get_attribute("data-step") or 0)
            page.context.close()
        in_firefox = in_firefox_from_the_press(file, repeats)
    medians = (round(statistics.median(part)) for part in zip(*parts, strict=True))
    return {
        "median": round(statistics.median(waits)),
        "longest": max(waits),
        "steps": steps,
        "parts": dict(zip(("file", "start", "steps", "longest_task"), medians, strict=True)),
        "firefox": in_firefox,
    }
