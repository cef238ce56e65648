"""Run the stages of `make test` in order, stop at the first failure, and say how long each took.

python -m tools.gate lint types unit lab+colab ...

Stages that are joined by a plus run side by side; what each printed follows when it has ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Result = tuple[str, float, bool]  # stage, seconds, whether it passed


def run(stage: str, alone: bool) -> Result:
    """Run one stage; where it is not alone, print what it said only at its end."""
    start = time.monotonic()
    command = [os.environ.get("MAKE", "make"), "--no-print-directory", stage]
    output = {} if alone else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=ROOT, **output)  # type: ignore[call-overload]
    seconds, passed = time.monotonic() - start, done.returncode == 0
    said = "" if alone else f"\n--- {stage} ---\n" + done.stdout.decode(errors="replace")
    print(f"{said}=== {stage}: {'passed' if passed else 'FAILED'} in {seconds:.1f} s ===", flush=True)
    return stage, seconds, passed


def main(steps: list[str]) -> int:
    results: list[Result] = []
    begun = time.monotonic()
    for number, step in enumerate(steps, start=1):
        stages = step.split("+")
        print(f"\n=== [{number}/{len(steps)}] {' and '.join(stages)} ===", flush=True)
        with ThreadPoolExecutor(len(stages)) as pool:
            results += pool.map(partial(run, alone=len(stages) == 1), stages)
        if not all(passed for _, _, passed in results):
            break

    print("\nstage          seconds")
    for stage, seconds, passed in results:
        print(f"{stage:<12} {seconds:>9.1f}{'' if passed else '   FAILED'}")
    print(f"{'total':<12} {time.monotonic() - begun:>9.1f}")
    failed = [stage for stage, _, passed in results if not passed]
    if not failed:
        print("make test: every stage passed", flush=True)
        return 0
    print(f"make test: {failed[0]} failed; `make {failed[0]}` runs it alone", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
