"""How fast a page draws digits with its own engine, in headless Chromium, and whether they can be read.

    python -m benchmarks.in_browser [--repeats 5]

Measured with the weights of the published pages, in one Web Worker (one thread): the time to load (from the start of
the worker until it says `loaded`: decoding, packing, one forward pass), milliseconds for a forward pass of 1, 4 and 16
images, and for a finished image, DDIM with 50 steps, without guidance and with; once with WebAssembly and once in plain
JavaScript. `press_ms` is what a reader waits for the first image: from the press of Generate in a page that has just
been opened from the disk, with everything that is loaded, in the number of steps that the page takes then (fewer where
there is no WebAssembly). Its parts are the file of weights, the start of the worker (decoding, packing, one pass) and
the steps with their drawing; `longest_task` is the longest time for which the page did not hear its reader (0 below
50 ms); `firefox` is the same wait there, where there is one. Medians. `agreement` is the share of 200 digits drawn
there that the course's classifier names as they were asked for. Written to ddpm_lib/assets/measured/in_browser.json,
which a chapter reads.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.pressed import KINDS, from_the_press
from ddpm_lib import load
from ddpm_lib.data import ASSETS
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.web.export import detail
from ddpm_lib.web.page_script import page_script
from ddpm_lib.web.worker_source import worker_source
from ddpm_lib.widgets.generator.network import SHIPPED
from tests.browser import launch

RESULT = ASSETS / "measured" / "in_browser.json"
WHAT = (
    f"the engine of the pages with the weights of {SHIPPED}, one thread of headless Chromium; "
    "medians in milliseconds"
)
STEPS = 50
NAMED, NAMED_STEPS, AT_ONCE = 200, 25, 16  # digits for the classifier, steps for each, digits a run

WORKER = """async ([source, detail]) => {
  window.engine?.terminate();
  const start = performance.now();
  window.engine = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const answer = await new Promise((resolve) => {
    engine.onmessage = ({ data }) => resolve(data);
    engine.postMessage({ type: "load", detail });
  });
  return [answer.kind, performance.now() - start];
}"""
RUN = """(run) => new Promise((resolve, reject) => {
  const start = performance.now();
  let x = null;
  engine.onmessage = ({ data }) => {
    if (data.type === "error") reject(Error(data.message));
    if (data.type === "state") x = data.xt;
    if (data.type === "done") resolve({ ms: performance.now() - start, x: run.images ? Array.from(x) : null });
  };
  engine.postMessage({ type: "run", id: 0, sampler: "ddim", eta: 0, seed: 0, ...run });
})"""


def milliseconds(page: Page, n: int, steps: int, w: float) -> float:
    """Until n digits are finished, from the request to the answer."""
    run = {"n": n, "labels": [i % 10 for i in range(n)], "steps": steps, "w": w}
    return float(page.evaluate(RUN, run)["ms"])


def agreement(page: Page) -> float:
    """The share of NAMED digits, 0 to 9 in turn, that the course's classifier names as they were asked for."""
    drawn = []
    for seed in range(0, NAMED, AT_ONCE):
        n = min(AT_ONCE, NAMED - seed)
        labels = [(seed + i) % 10 for i in range(n)]
        run = {"n": n, "labels": labels, "steps": NAMED_STEPS, "w": 0.5, "seed": seed, "images": True}
        drawn.append(torch.tensor(page.evaluate(RUN, run)["x"]).reshape(n, 1, 28, 28))
    found = digit_classes(torch.cat(drawn), torch.arange(NAMED) % 10).agreement
    assert found is not None
    return found


def measure(page: Page, kind: str, weights: dict[str, Any], repeats: int) -> dict[str, Any]:
    """One kind of matrix product."""
    source, loads = KINDS[kind] + worker_source(), []
    for _ in range(repeats):
        found, ms = page.evaluate(WORKER, [source, weights])
        if found != kind:
            raise SystemExit(f"This Chromium gave {found} where {kind} was to be measured: use another.")
        loads.append(ms)

    def median(n: int, steps: int, w: float) -> float:
        return statistics.median(milliseconds(page, n, steps, w) for _ in range(repeats))

    first = milliseconds(page, 1, STEPS, 0.5)  # as a reader meets it: the compiler has not warmed up
    return {
        "load_ms": round(statistics.median(loads), 1),
        "forward_ms": {str(n): round(median(n, 10, 0) / 10, 2) for n in (1, 4, 16)},
        "image_ms": {
            "plain": round(median(1, STEPS, 0)),
            "guided": round(median(1, STEPS, 0.5)),
            "guided, the first of all": round(first),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="The engine of the pages, in headless Chromium.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    weights = detail(load(SHIPPED))
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        kinds = {kind: measure(page, kind, weights, args.repeats) for kind in KINDS}
        for kind, found in kinds.items():
            found["press_ms"] = from_the_press(browser, kind, weights, args.repeats)
        page.evaluate(WORKER, [worker_source(), weights])
        script = page_script(worker_source(), json.dumps(weights))
        result = {
            "what": WHAT,
            "weights": SHIPPED,
            "machine": {**machine(), "browser": f"Chromium {browser.version}"},
            "steps": STEPS,
            "repeats": args.repeats,
            "bytes": {
                "weights": len(json.dumps(weights)),
                "engine": len(worker_source()),
                "downloaded": len(script),
            },
            **kinds,
            "agreement": {
                "images": NAMED,
                "steps": NAMED_STEPS,
                "guidance": 0.5,
                "share": round(agreement(page), 4),
            },
        }
        browser.close()
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
