"""Train and measure all that the book ships, on a machine with a GPU, in one call.

    python3 -m tools.gpu --minutes 9 --out DIR    train and measure what fits, in order of worth
    python3 -m tools.gpu --install DIR            put the results into the package
    python3 -m tools.gpu --tiny --out DIR         the same pieces, a thousand times smaller, on any machine

It runs with the machine's own Python (3.11 or newer) and torch (2.4 or newer), and needs numpy, safetensors,
jaxtyping, pillow and tqdm beside; nothing is installed or downloaded. Results are written to DIR as they come: at most
8 files of under 15 MiB, so a run that is killed leaves what was done. A call with the DIR of an earlier one goes on
after it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

BEGUN = time.monotonic()


def main(argv: list[str] | None = None) -> int:
    """Do what the options say; the status is 0 when every piece was done or left out for want of time."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=9.0, help="end by then (default: 9)")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="where results go: runs/gpu")
    parser.add_argument("--tiny", action="store_true", help="a rehearsal, on any machine")
    parser.add_argument("--only", nargs="+", metavar="PIECE", help="pieces whose names begin so")
    parser.add_argument("--install", type=Path, metavar="DIR", help="put DIR's results into the package")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)

    if args.install:
        from tools.gpu.install import install

        return install(args.install)
    if args.worker:
        from tools.gpu.worker import work

        return work(args.worker, 60 * args.minutes, args.tiny, args.only)
    from tools.gpu.supervise import supervise

    return supervise(args.out, BEGUN + 60 * args.minutes, args.tiny, args.only)


if __name__ == "__main__":
    sys.exit(main())
