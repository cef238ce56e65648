"""How long a widget takes from a key press to the picture, in headless Chromium on the built pages.

    make html && python -m benchmarks.widgets

Every widget of every chapter is opened from the disk, the keyboard's focus is put on each of its sliders in turn,
and the arrow key is pressed. The clock starts with the browser's own time stamp of the key press and stops in the
first task after the frame that shows the new picture, so waiting for the screen's next frame (up to 16.7 ms) is
part of it. `script` is the part that the widget's own code takes. Before every widget the same is measured on an empty
page, with nothing but a slider of the browser's: what that takes is the machine's and the screen's, and
`beside_empty_ms` is what the widget and its page add to it. `load_before` is the number of processes that wanted the
processor when it began. Written to benchmarks/results/widgets.json.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, sync_playwright

from benchmarks.machine import machine
from tests.browser import launch
from tools.serve import HTML

RESULT = Path(__file__).parent / "results" / "widgets.json"
PRESSES = 60  # a slider
LIMIT = 16.0  # milliseconds, at the median
EMPTY = '<!doctype html><title>empty</title><input type="range" max="500" value="100" aria-label="empty">'

CLOCK = """() => {
  window.presses = [];
  addEventListener("keydown", (event) => {
    const start = event.timeStamp;
    let drawn = null;
    // The widget draws in its `input` listener, before this one, which is further out.
    const input = () => (drawn = performance.now());
    addEventListener("input", input, { once: true });
    const begun = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        removeEventListener("input", input);
        if (drawn !== null) window.presses.push([performance.now() - start, drawn - begun]);
      };
      channel.port2.postMessage(null);
    });
  }, true);
}"""


def press(page: Page, slider: Locator) -> list[tuple[float, float]]:
    """(milliseconds to the picture, milliseconds of script) of every press that moved the slider."""
    page.evaluate("() => { window.presses = []; }")
    slider.focus()
    for i in range(PRESSES):
        page.keyboard.press("ArrowRight" if i % 20 < 10 else "ArrowLeft")
        page.wait_for_timeout(20 + 7 * (i % 5))  # not in step with the screen's frames
    presses: list[tuple[float, float]] = page.evaluate("() => window.presses")
    return presses


def measure(page: Page, empty: Page) -> list[dict[str, Any]]:
    """One row for every widget of an open page, over all its sliders, beside the empty page at the same time."""
    rows = []
    page.evaluate(CLOCK)
    for host in page.locator(".ddpm-host").all():
        host.scroll_into_view_if_needed()
        sliders = [s for s in host.get_by_role("slider").all() if s.is_visible() and s.is_enabled()]
        if not sliders:  # the generator, before its settings are unfolded and a picture is computed
            continue
        empty.bring_to_front()
        nothing = statistics.median(total for total, _ in press(empty, empty.get_by_role("slider")))
        page.bring_to_front()
        presses = [pair for slider in sliders for pair in press(page, slider)]
        total, script = zip(*presses, strict=True)
        rows.append(
            {
                "widget": str(host.get_attribute("data-ddpm-widget")).split("-")[0],
                "sliders": len(sliders),
                "presses": len(presses),
                "median_ms": round(statistics.median(total), 2),
                "empty_median_ms": round(nothing, 2),
                "beside_empty_ms": round(statistics.median(total) - nothing, 2),
                "p90_ms": round(statistics.quantiles(total, n=10)[-1], 2),
                "script_median_ms": round(statistics.median(script), 2),
                "html_bytes": len(host.evaluate("e => e.outerHTML")),
            }
        )
    return rows


def main() -> int:
    rows, load = [], os.getloadavg()[0]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        version = browser.version
        empty = browser.new_page(viewport={"width": 1280, "height": 900})
        empty.set_content(EMPTY)
        empty.evaluate(CLOCK)
        for path in sorted((HTML / "book").glob("*.html")):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_load_state("networkidle")
            rows += [{"page": path.stem, **row} for row in measure(page, empty)]
            page.close()
        browser.close()
    result = {
        "machine": machine(),
        "browser": f"Chromium {version}, headless",
        "limit_ms": LIMIT,
        "load_before": round(load, 1),
        "rows": rows,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(
        f"{'page':<14}{'widget':<18}{'median':>8}{'empty':>8}{'p90':>8}{'script':>8}  ms   {platform.machine()}"
    )
    for row in rows:
        names = ("median_ms", "empty_median_ms", "p90_ms", "script_median_ms")
        figures = "".join(f"{row[name]:>8.1f}" for name in names)
        print(f"{row['page']:<14}{row['widget']:<18}{figures}")
    slow = [row for row in rows if row["median_ms"] > LIMIT]
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
