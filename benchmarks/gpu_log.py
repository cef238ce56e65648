"""What the log of `tools.gpu` says of every training: the step, plain and as one CUDA graph, and how it ended.

    python -m benchmarks.gpu_log benchmarks/results/gpu-log-1.txt benchmarks/results/gpu-log-2.txt

Writes ddpm_lib/assets/measured/gpu-steps.json. Milliseconds are those of the trial before a training, in bfloat16 with
64 digits a step; `apart` is how far the first losses of the two ways lie from each other, `lost at` the first step
whose loss was not finite.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from benchmarks.rows import Row, write
from ddpm_lib.data import ASSETS
from ddpm_lib.train.machine.cost import TRAINING, cost
from ddpm_lib.train.presets import CLASSIC, PRESETS

RESULT = ASSETS / "measured" / "gpu-steps.json"
PIECE = re.compile(r"==> (?:train|ladder:) (\S+) \(")
PLAIN = re.compile(r"a plain step takes ([\d.]+) ms")
GRAPHED = re.compile(r"a graphed step takes ([\d.]+) ms; its first \d+ losses lie ([\d.]+)% apart")
TRAINED = re.compile(r"(\S+): trained after ([\d,]+) steps \(.*\), loss ([\d.]+), in ([\d.]+) s")
LOST = re.compile(r"==> FAILED: (?:train|ladder:) \S+: TrainingError: The loss of step (\d+)")
MACHINE = re.compile(r"(NVIDIA .*), torch (\S+), Python (\S+), ")
NAMES = {"unet": "classic-unet"}  # pieces that are not called as their preset is


def trainings(log: str) -> list[Row]:
    """A row for every training that the log tells of."""
    rows: list[Row] = []
    piece = ""
    for line in log.splitlines():
        if found := PIECE.match(line):
            piece = NAMES.get(found[1], found[1])
        elif found := PLAIN.match(line):
            flops = TRAINING * cost(PRESETS[piece].model, 28).flops * CLASSIC.batch
            rows.append({"network": piece, "flops": flops, "plain": float(found[1])})
        elif found := GRAPHED.match(line):
            rows[-1] |= {"graphed": float(found[1]), "apart": float(found[2]) / 100}
        elif found := TRAINED.match(line):
            steps = int(found[2].replace(",", ""))
            rows[-1] |= {"steps": steps, "seconds": float(found[4]), "loss": float(found[3])}
        elif found := LOST.match(line):
            rows[-1] |= {"lost at": int(found[1])}
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("logs", type=Path, nargs="+", help="what tools.gpu wrote as log.txt")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args(argv)
    texts = [path.read_text(encoding="utf-8") for path in args.logs]
    on = [match.groups() for text in texts for match in MACHINE.finditer(text)]
    head = {
        "what": "a training step of 64 digits in bfloat16, ms, plain and as one CUDA graph; trainings of ten epochs",
        "machine": dict(zip(("device", "torch", "python"), on[0], strict=True)),
    }
    assert len(set(on)) == 1, "the logs are of different machines"
    write(args.out, {**head, "rows": [row for text in texts for row in trainings(text)]})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
