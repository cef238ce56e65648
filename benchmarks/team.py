"""What it takes of a processor to train on digits in the page, alone or in a team (ddpm_lib/web/learn/images/team.js).

    python -m benchmarks.team

Milliseconds of the processor, medians, for a step of the recipe: all of it in one worker, or the part of the first of
them where the batch is shared by two or by four, with all that sharing costs it: copies of the weights, the sum of the
gradients, the step itself. Where a core is free for each worker, a step takes as long as the first one's part. The time
of the thread is counted, and not the clock, so that what else the machine does is not in it.
Written to benchmarks/results/team.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from ddpm_lib.web.worker_source import IMAGES_CORE, without_comments
from ddpm_lib.widgets.digits.recipe import ABOUT, TRAINING, recipe
from tests.browser import launch

RESULT = Path(__file__).parent / "results" / "team.json"
SIZES, STEPS, REPEATS = (1, 2, 4), 6, 7
READY = """([recipe, about]) => {
  const learner = blank(recipe, about), { net } = learner, of = recipe.batch * about.side ** 2;
  const gradient = new Float32Array(net.length);
  window.take = (size, steps) => {
    for (let i = 0; i < steps; i++) {
      const batch = learner.draw();
      for (let k = 1; k < size; k++)
        structuredClone([net.heap.f32.slice(net.weights, net.weights + net.length), share(batch, k, size)]);
      learner.loss(share(batch, 0, size), of);
      for (let k = 1; k < size; k++) add(learner, gradient);
      learner.update();
    }
  };
}"""


@contextmanager
def timed_page() -> Iterator[tuple[Page, Callable[[], float], str]]:
    """A page in headless Chromium, the milliseconds that its thread has taken so far, and Chromium's version."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def processor_ms() -> float:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return 1000 * float(next(m["value"] for m in metrics if m["name"] == "ThreadTime"))

        yield page, processor_ms, browser.version
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="The steps of a team that trains in the page.")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    with timed_page() as (page, processor_ms, version):
        source = without_comments(*IMAGES_CORE).replace('"use strict";', "")
        page.evaluate(f"(arg) => {{ {source} ({READY})(arg); }}", [recipe(), ABOUT])
        page.evaluate("take(1, 4)")  # the compiler's time is not counted
        for _ in range(REPEATS):
            for size in SIZES:
                before = processor_ms()
                page.evaluate("([size, steps]) => take(size, steps)", [size, STEPS])
                found[size].append((processor_ms() - before) / STEPS)
    first = {str(size): round(statistics.median(times), 1) for size, times in found.items()}
    result: dict[str, Any] = {
        "what": f"milliseconds of the processor for a step of {TRAINING['batch']} digits; medians of {REPEATS}",
        "machine": {**machine(), "browser": f"Chromium {version}"},
        "first_worker": first,
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
