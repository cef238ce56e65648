"""How fast a page trains an MLP in the plane, in headless Chromium, and how long its reader waits.

    python -m benchmarks.play [--seconds 3]

Steps of 256 points a second in one Web Worker (one thread), for each width that the page offers: with WebAssembly, and
in plain JavaScript for the width that it begins with. Then the page itself, from the disk: milliseconds from the press
of Train until the picture shows the first steps, its steps a second while it draws losses, samples and arrows, and the
longest task of its main thread (0 below 50 ms). Medians of the rounds, each of which takes the widths in turn.
Written to ddpm_lib/assets/measured/play.json, which the chapter reads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.machine import machine
from ddpm_lib.data import ASSETS
from ddpm_lib.web.worker_source import LEARN_CORE, learn_source, without_comments
from ddpm_lib.widgets import PlayWidget
from tests.browser import launch
from tests.widget_page import document

RESULT = ASSETS / "measured" / "play.json"
WIDTHS, BATCH, USUAL = (8, 16, 32, 64), 256, 32
# The engine in a worker of its own, as the page has it; only the steps are timed.
RUN = """([source, width, plain, seconds]) => new Promise((resolve, reject) => {
  const text = `${source}
    const points = new Normal(0).draw(1000);
    const recipe = { schedule: "cosine", T: 100, predicts: "v", width: ${width}, lr: 1e-3, seed: 0, batch: 256 };
    const learner = new Learner(recipe, points, ${plain});
    for (let i = 0; i < 50; i++) learner.step();
    const begun = performance.now();
    let steps = 0;
    for (; performance.now() - begun < ${1000 * seconds}; steps++) learner.step();
    postMessage([learner.net.kind, (1000 * steps) / (performance.now() - begun)]);`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  worker.onerror = (event) => reject(Error(event.message));
  worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
})"""
WATCH = """window.tasks = [0];
const list = (entries) => tasks.push(...entries.getEntries().map((task) => task.duration));
new PerformanceObserver(list).observe({ type: "longtask" });
addEventListener("click", (event) => {
  if (event.target.textContent !== "Train") return;
  tasks.length = 1;
  const wait = () => Number(document.querySelector(".ddpm-learn").dataset.steps)
    ? (window.first = performance.now() - event.timeStamp) : requestAnimationFrame(wait);
  requestAnimationFrame(wait);
}, true);"""


def speed(page: Page, width: int, plain: bool, seconds: float) -> float:
    """Steps a second."""
    source = without_comments(*LEARN_CORE).replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    kind, found = page.evaluate(RUN.replace("${source}", source), ["", width, plain, seconds])
    if kind != ("javascript" if plain else "wasm-simd"):
        raise SystemExit(f"This Chromium gave {kind} where another product was to be measured: use another.")
    return float(found)


def in_the_page(browser: Browser, seconds: float) -> dict[str, float]:
    """The widget from the disk: the wait for the first steps, its pace, the longest task."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(document(PlayWidget()), encoding="utf-8")
        page = browser.new_context().new_page()
        page.add_init_script(WATCH)
        page.goto(file.as_uri())
        page.wait_for_function("Number(document.querySelector('.ddpm-learn')?.dataset.least) > 0")
        page.get_by_role("button", name="Train").click()
        page.wait_for_timeout(1000 * seconds)
        steps = "Number(document.querySelector('.ddpm-learn').dataset.steps)"
        count, begun = page.evaluate(f"[{steps}, performance.now()]")
        page.wait_for_timeout(1000 * seconds)
        later, ended = page.evaluate(f"[{steps}, performance.now()]")
        first, longest = page.evaluate("[first, Math.max(...tasks)]")
        page.context.close()
        return {
            "first_ms": first,
            "steps_per_second": 1000 * (later - count) / (ended - begun),
            "longest_task_ms": longest,
        }


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {name: round(statistics.median(each[name] for each in rounds)) for name in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description="The training of the pages, in headless Chromium.")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    arms = [(f"width {width}", width, False) for width in WIDTHS] + [("plain", USUAL, True)]
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        found = [
            {name: speed(page, width, plain, args.seconds) for name, width, plain in arms}
            for _ in range(args.rounds)
        ]
        pages = [in_the_page(browser, args.seconds) for _ in range(args.rounds)]
        version = browser.version
        browser.close()
    speeds = medians(found)
    result: dict[str, Any] = {
        "what": f"steps of {BATCH} points a second in one worker of headless Chromium; medians",
        "machine": {**machine(), "browser": f"Chromium {version}"},
        "rounds": args.rounds,
        "batch": BATCH,
        "wasm-simd": {str(width): speeds[f"width {width}"] for width in WIDTHS},
        "javascript": {str(USUAL): speeds["plain"]},
        "page": {"width": USUAL, **medians(pages)},
        "worker_bytes": len(learn_source()),
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
