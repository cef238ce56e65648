"""What a reader gets who presses Train on the digits of *Play*: a real run in headless Chromium, from the disk.

    python -m benchmarks.digits [--seeds 3]

The page is opened as it is published, Train is pressed, and nothing is touched until the run of the recipe is over.
Then the network that the page saved draws 100 digits, the classes in turn, and `named` is the share of them that the
course's classifier names as asked (DDIM with 25 steps, guidance 0.5). `after_two_minutes` is the same for the network
as it was two minutes after the press, where the run took longer: it is paused there for its file and goes on. `seconds`
from the press to the end count everything: the file of digits, the steps, the drawings. `forecast` is what the page had
said before the press; `longest_task_ms` the longest time for which it did not hear its reader (0 below 50 ms), and
`longest_answer_ms` the longest that its own script took for a message of the worker: the rest is the browser's, or the
machine's.
`step_ms` is a step of 32 images in a worker that does nothing else, with WebAssembly and in plain JavaScript. `load` is
how many processes wanted the processor meanwhile (a minute's mean): where it is above the number of cores, the page had
to share. Written to ddpm_lib/assets/measured/digits.json, which the chapter reads, anew after each reader.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.arms import Drawn, draw
from benchmarks.machine import machine
from ddpm_lib.data import ASSETS
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.web.worker_source import IMAGES_CORE, images_source, without_comments
from ddpm_lib.widgets import DigitsWidget
from ddpm_lib.widgets.digits.digits import URL
from ddpm_lib.widgets.digits.images import digits_script
from ddpm_lib.widgets.digits.recipe import DDIM_STEPS, GUIDANCE, TRAINING, recipe
from tests.browser import launch
from tests.widget_page import document

RESULT = ASSETS / "measured" / "digits.json"
SAMPLES, MINUTES = 100, 2
STATE = "document.querySelector('.ddpm-digits').dataset"
# The file that the page would save, caught where the widget makes it.
WATCH = """window.tasks = [0];
const list = (entries) => tasks.push(...entries.getEntries().map((task) => task.duration));
new PerformanceObserver(list).observe({ type: "longtask" });
[window.files, window.answers] = [[], [0]];
const Plain = Worker;
window.Worker = class extends Plain {
  constructor(url) {
    super(url);
    this.addEventListener("message", ({ data }) => data.type === "saved" && files.push(data.text));
  }
  set onmessage(hear) {
    super.onmessage = (event) => {
      const begun = performance.now();
      hear(event);
      answers.push(performance.now() - begun);
    };
  }
};"""
FILE = "() => files.at(-1)"
STEP = """([source, recipe, plain]) => new Promise((resolve, reject) => {
  const text = `${source}
    const images = { pixels: new Uint8Array(784), y: new Uint8Array(1), levels: 16, side: 28, name: "", classes: [] };
    const learner = new ImageLearner(${JSON.stringify(recipe)}, images, ${plain}), times = [];
    for (let i = 0; i < (${plain} ? 6 : 30); i++) {
      const begun = performance.now();
      learner.step();
      times.push(performance.now() - begun);
    }
    postMessage([learner.net.kind, times.slice(3).sort((a, b) => a - b)]);`;
  const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  worker.onerror = (event) => reject(Error(event.message));
  worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
})"""


def step_ms(page: Page, plain: bool) -> float:
    """The median of a step."""
    kind, times = page.evaluate(STEP, [without_comments(*IMAGES_CORE), recipe(), plain])
    if kind != ("javascript" if plain else "wasm-simd"):
        raise SystemExit(f"This Chromium gave {kind} where another product was to be measured: use another.")
    return float(statistics.median(times))


def named(page: Page) -> float:
    """The share of digits that are named as asked, of the network in the page's last file."""
    widget = DigitsWidget()
    widget.learned = page.evaluate(FILE)
    trained = widget.trained
    x = draw(trained.network(), trained.diffusion, Drawn(SAMPLES, DDIM_STEPS, "cpu", GUIDANCE))
    return round(digit_classes(x, torch.arange(SAMPLES) % 10).agreement or 0, 4)


def run(browser: Browser, folder: Path, seed: int) -> dict[str, Any]:
    """One reader."""
    (folder / "page.html").write_text(document(DigitsWidget(training_seed=seed)), encoding="utf-8")
    page = browser.new_context().new_page()
    page.set_default_timeout(3_600_000)
    page.add_init_script(WATCH)
    page.goto((folder / "page.html").as_uri())
    status = page.locator(".ddpm-status")
    page.wait_for_function("document.querySelector('.ddpm-status').textContent.includes('about')")
    forecast = status.inner_text()
    page.evaluate("tasks.length = 1")
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    begun = page.evaluate("performance.now()")
    row: dict[str, Any] = {"seed": seed, "forecast": forecast}
    spent, files = 0.0, 0
    try:
        page.wait_for_function(f"{STATE}.state === 'done'", timeout=60_000 * MINUTES)
    except Exception:  # it takes longer: its file now, then on
        spent = page.evaluate("performance.now()") - begun
        row["steps_after_two_minutes"] = int(page.evaluate(f"{STATE}.steps"))
        page.get_by_role("button", name="Pause", exact=True).press("Enter")
        page.wait_for_function("files.length")
        row["after_two_minutes"], files = named(page), page.evaluate("files.length")
        page.get_by_role("button", name="Go on", exact=True).press("Enter")
        begun = page.evaluate("performance.now()")
        page.wait_for_function(f"{STATE}.state === 'done'")
    spent += page.evaluate("performance.now()") - begun
    page.wait_for_function("(n) => files.length > n", arg=files)
    row |= {"seconds": round(spent / 1000, 1), "steps_per_second": round(1000 * TRAINING["steps"] / spent, 2)}
    row |= {"named": named(page), "longest_task_ms": round(page.evaluate("Math.max(...tasks)"))}
    row["longest_answer_ms"] = round(page.evaluate("Math.max(...answers)"), 1)
    page.context.close()
    return {"after_two_minutes": row["named"], **row, "load": round(os.getloadavg()[0], 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description="The training on digits in the page, in headless Chromium.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser, folder = launch(playwright), Path(name)
        (folder / URL).parent.mkdir()
        (folder / URL).write_text(digits_script(), encoding="utf-8")
        page = browser.new_page()
        speeds = {"wasm-simd": step_ms(page, False), "javascript": step_ms(page, True)}
        cores = page.evaluate("navigator.hardwareConcurrency")
        page.close()
        workers = "two workers" if cores > 2 else "one worker"  # as digits/session.js decides
        result: dict[str, Any] = {
            "what": f"a training of {TRAINING['steps']} steps of {TRAINING['batch']} digits in the page, {workers}",
            "machine": {**machine(), "browser": f"Chromium {browser.version}"},
            "samples": SAMPLES,
            "step_ms": {kind: round(ms, 1) for kind, ms in speeds.items()},
            "bytes": {"digits": len(digits_script()), "worker": len(images_source())},
            "rows": [],
        }
        for seed in range(args.seeds):
            result["rows"].append(run(browser, folder, seed))
            print(json.dumps(result["rows"][-1]), flush=True)
            args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        browser.close()


if __name__ == "__main__":
    main()
