"""What the tile of the engine's matrix product saves: as it is, with its loads repeated, and of a single row.

    python -m benchmarks.tile

Billions of multiplications a second in headless Chromium, WebAssembly, one thread; medians, and quartiles of the ratio
to the tile as it is, round by round. The product is of 32 x 64 with 64 x 64 numbers, as in `benchmarks.engine`.
`tile` has four rows and eight columns: 12 numbers are loaded for 32 multiplications. `loads` loads the eight numbers of
B anew for each row, 36 for 32: those of the next rows of B, since a browser merges loads of one place; so its result is
another one. `row` is a tile of one row, also 36 for 32. Written to ddpm_lib/assets/measured/tile.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.team import timed_page
from ddpm_lib.data import ASSETS
from ddpm_lib.web.worker_source import CORE, without_comments

RESULT = ASSETS / "measured" / "tile.json"
ROUNDS, TIMES = 21, 200
READY = """(name) => {
  const { heap, product } = fastestProduct(), rows = heap.alloc(32), out = heap.zeros(32 * 64);
  const [a, b] = [32 * 64, 64 * 64 + 24].map((n) => heap.put(new Normal(n).draw(n)));
  heap.i32.set(Array.from({ length: 32 }, (_, i) => i), rows);
  const once = () => product(out, a, rows, b, 32, 64, 1, 64, 64);
  once();
  const first = [...heap.f32.slice(out, out + 32 * 64)];
  (window.products ??= {})[name] = (times) => { while (times--) for (let i = 0; i < 100; i++) once(); };
  return first;
}"""
LOADS = (
    ("get k vload 0 set b0  get k vload 16 set b1", ""),
    ("get p${r} splat 0", "get k vload ${32 * r} set b0 get k vload ${32 * r + 16} set b1 get p${r} splat 0"),
)
ROW = (
    ("[0, 1, 2, 3].map(f)", "[0].map(f)"),
    ('step("t", "const 16")', 'step("t", "const 4")'),
    ('step("o", "get n const 4 mul")', 'step("o", "get n")'),
    ('step("i", "const 4")', 'step("i", "const 1")'),
)


def changed(source: str, changes: tuple[tuple[str, str], ...]) -> str:
    """The engine with another kernel."""
    begin, end = source.index("function kernel()"), source.index("const OPCODES")
    kernel = source[begin:end]
    for old, new in changes:
        if kernel.count(old) != 1:
            raise SystemExit(f"The kernel has changed: it has not one {old!r}.")
        kernel = kernel.replace(old, new)
    return source[:begin] + kernel + source[end:]


def main() -> None:
    parser = argparse.ArgumentParser(description="What the tile of the product saves.")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    source = without_comments(*CORE).replace('"use strict";', "")
    arms = {"tile": source, "loads": changed(source, LOADS), "row": changed(source, ROW)}
    spent: dict[str, list[float]] = {name: [] for name in arms}
    with timed_page() as (page, processor_ms, version):
        first = {
            name: page.evaluate(f"(arg) => {{ {js} return ({READY})(arg); }}", name)
            for name, js in arms.items()
        }
        if first["row"] != first["tile"] or first["loads"] == first["tile"]:
            raise SystemExit("The kernels do not compute what they should.")
        for k in range(ROUNDS + 1):
            for name in arms:
                before = processor_ms()
                page.evaluate("([name, n]) => products[name](n)", [name, TIMES])
                if k:  # the first round warms up
                    spent[name].append((processor_ms() - before) / TIMES)
    result: dict[str, Any] = {
        "what": f"billions of multiplications a second, one thread; medians of {ROUNDS}",
        "machine": {**machine(), "browser": f"Chromium {version}"},
    }
    for name, ms in spent.items():
        ratios = [one / other for one, other in zip(ms, spent["tile"], strict=True)]
        low, ratio, high = statistics.quantiles(ratios, n=4)
        rate = 100 * 32 * 64 * 64 / statistics.median(ms) / 1e6
        result[name] = {
            "product": round(rate, 2),
            "slower": round(ratio, 2),
            "spread": [round(low, 2), round(high, 2)],
        }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
