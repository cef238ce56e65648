"""What the engine of the pages takes of a processor: in WebAssembly, in plain JavaScript, and without Winograd.

    python -m benchmarks.engine

Milliseconds of the processor in headless Chromium, medians, for one step of DDIM, guided (two forward passes), with the
weights of the published pages: of one image, and of sixteen, which go through the network as the worker sends them.
`product` is the matrix product alone, of 32 x 64 with 64 x 64 numbers, in billions of multiplications a second. The
arms take turns, and the time of the thread is counted, not the clock, so that what else the machine does is not in it.
`direct` is WebAssembly without Winograd's algorithm. Written to ddpm_lib/assets/measured/engine.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.team import timed_page
from ddpm_lib import load
from ddpm_lib.data import ASSETS
from ddpm_lib.web.export import detail
from ddpm_lib.web.worker_source import CORE, without_comments, worker_source
from ddpm_lib.widgets.generator.network import SHIPPED

RESULT = ASSETS / "measured" / "engine.json"
REPEATS, WARM = 9, 12
TOGETHER = 2  # images at once, as in worker.js
# How often each piece of work is done in one measurement.
TIMES = {"wasm-simd": (20, 3, 400), "direct": (20, 3, 0), "javascript": (4, 1, 60)}
DIRECT = """const pack = Layers.prototype.packWeight;
Layers.prototype.packWeight = function (name, tensor) { return pack.call(this, ".parts.0.conv.weight", tensor); };"""
READY = """([detail, plain, together, name]) => {
  const machine = fastestProduct(plain), { heap, product } = machine;
  const random = (n) => heap.put(new Normal(n).draw(n)), rows = heap.alloc(32);
  const [a, b, out] = [32 * 64, 64 * 64, 32 * 64].map(random);
  heap.i32.set(Array.from({ length: 32 }, (_, i) => i), rows);
  const net = new UNet(detail.config, detail.shape, decode(detail), machine);
  const alphaBar = new Float32Array(bytesOf(detail.alpha_bar).buffer);
  const images = (n) => denoise(net, alphaBar, new Normal(n).draw(784 * n), 250, Array(n).fill(7), 0.5);
  (window.engines ??= {})[name] = {
    one: (times) => { while (times--) images(1); },
    sixteen: (times) => { while (times--) for (let n = 0; n < 16; n += together) images(together); },
    product: (times) => { while (times--) for (let i = 0; i < 100; i++) product(out, a, rows, b, 32, 64, 1, 64, 64); },
  };
  return machine.kind;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="The engine of the pages, by the time of the processor.")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    if f"const TOGETHER={TOGETHER};" not in worker_source():
        raise SystemExit("worker.js takes another number of images at once: write it into TOGETHER here.")
    weights, source = detail(load(SHIPPED)), without_comments(*CORE).replace('"use strict";', "")
    found: dict[str, dict[str, list[float]]] = {
        arm: {"one": [], "sixteen": [], "product": []} for arm in TIMES
    }
    with timed_page() as (page, processor_ms, version):
        page.set_default_timeout(0)
        for arm in TIMES:
            more = DIRECT if arm == "direct" else ""
            plain = arm == "javascript"
            kind = page.evaluate(
                f"(arg) => {{ {source} {more} return ({READY})(arg); }}", [weights, plain, TOGETHER, arm]
            )
            if kind != ("javascript" if plain else "wasm-simd"):
                raise SystemExit(f"This Chromium gave {kind} where {arm} was to be measured: use another.")
            page.evaluate(
                "([arm, n]) => { engines[arm].one(n); engines[arm].sixteen(1); engines[arm].product(n); }",
                [arm, WARM],
            )
        for _ in range(args.repeats):
            for arm, times in TIMES.items():
                for work, n in zip(found[arm], times, strict=True):
                    before = processor_ms()
                    page.evaluate("([arm, work, n]) => engines[arm][work](n)", [arm, work, n])
                    found[arm][work].append((processor_ms() - before) / max(n, 1))
    result: dict[str, Any] = {
        "what": f"milliseconds of the processor for a guided step; medians of {args.repeats}",
        "machine": {**machine(), "browser": f"Chromium {version}"},
        "weights": SHIPPED,
    }
    for arm, works in found.items():
        ms = {work: statistics.median(times) for work, times in works.items()}
        result[arm] = {"step_ms": {"1": round(ms["one"], 2), "16": round(ms["sixteen"], 1)}}
        if TIMES[arm][2]:
            result[arm]["product"] = round(100 * 32 * 64 * 64 / ms["product"] / 1e6, 2)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
