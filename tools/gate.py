"""Run the stages of `make test` in order, stop at the first failure, and say how long each took.

python -m tools.gate lint types unit ...
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(stages: list[str]) -> int:
    times: list[tuple[str, float, bool]] = []
    for number, stage in enumerate(stages, start=1):
        print(f"\n=== [{number}/{len(stages)}] {stage} ===", flush=True)
        start = time.monotonic()
        passed = (
            subprocess.run(
                [os.environ.get("MAKE", "make"), "--no-print-directory", stage], cwd=ROOT
            ).returncode
            == 0
        )
        times.append((stage, time.monotonic() - start, passed))
        print(f"=== {stage}: {'passed' if passed else 'FAILED'} in {times[-1][1]:.1f} s ===", flush=True)
        if not passed:
            break

    print("\nstage          seconds")
    for stage, seconds, passed in times:
        print(f"{stage:<12} {seconds:>9.1f}{'' if passed else '   FAILED'}")
    print(f"{'total':<12} {sum(seconds for _, seconds, _ in times):>9.1f}")
    if all(passed for _, _, passed in times):
        print("make test: every stage passed", flush=True)
        return 0
    print(f"make test: {times[-1][0]} failed; `make {times[-1][0]}` runs it alone", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
