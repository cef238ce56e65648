"""How fast a page draws digits with its own engine, in headless Chromium.

    python -m benchmarks.generate [--repeats 5]

Measured with the weights of cpu-minutes, in one Web Worker (one thread): the time to load (from the start of the worker
until it says `loaded`: decoding, packing, one forward pass), milliseconds for a forward pass of 1, 4 and 16 images, and
the time until the first finished image, DDIM with 50 steps, without guidance and with; once with WebAssembly and once
in plain JavaScript. Medians. Written to ddpm_lib/assets/measured/generate.json, which a chapter reads.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from ddpm_lib import load
from ddpm_lib.data import ASSETS
from ddpm_lib.web.engine import engine_source
from ddpm_lib.web.export import detail
from tests.browser import launch

RESULT = ASSETS / "measured" / "generate.json"
WHAT = (
    "the engine of the pages with the weights of cpu-minutes, one thread of headless Chromium; "
    "medians in milliseconds"
)
STEPS = 50
KINDS = {"wasm-simd": "", "javascript": "const WebAssembly = undefined;"}

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
  engine.onmessage = ({ data }) => {
    if (data.type === "error") reject(Error(data.message));
    if (data.type === "done") resolve(performance.now() - start);
  };
  engine.postMessage({ type: "run", id: 0, sampler: "ddim", eta: 0, seed: 0, ...run });
})"""


def milliseconds(page: Page, n: int, steps: int, w: float) -> float:
    """Until n digits are finished, from the request to the answer."""
    run = {"n": n, "labels": [i % 10 for i in range(n)], "steps": steps, "w": w}
    return float(page.evaluate(RUN, run))


def measure(page: Page, kind: str, weights: dict[str, Any], repeats: int) -> dict[str, Any]:
    """One kind of matrix product."""
    source, loads = KINDS[kind] + engine_source(), []
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
    weights = detail(load("cpu-minutes"))
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        result = {
            "what": WHAT,
            "machine": {**machine(), "browser": f"Chromium {browser.version}"},
            "steps": STEPS,
            "repeats": args.repeats,
            "bytes": {"weights": len(json.dumps(weights)), "engine": len(engine_source())},
            **{kind: measure(page, kind, weights, args.repeats) for kind in KINDS},
        }
        browser.close()
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
