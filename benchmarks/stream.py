"""Memory and speed of images streamed from shards, against a folder that is loaded whole.

    OMP_NUM_THREADS=1 python -m benchmarks.stream

Writes 1,000, 10,000 and 100,000 small color pictures as shards to a temporary folder (drawn on the spot: a smooth
random color field each, so that a PNG costs about what a photo of that size does), reads one epoch of each in a
process of its own, and records the largest resident memory of that process and of its workers, and the images a
second of processor time (which other work on the core changes little). The same shards are also loaded whole
(`Shards.head`), as `image_folder` would load the images. The chapter on scale reads the result, so it is part of the
package: ddpm_lib/assets/measured/stream.json.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import machine
from benchmarks.memory import peak
from ddpm_lib.data import ASSETS
from ddpm_lib.data.stream import Index, Shards, StreamedBatches, batches, open_images
from ddpm_lib.data.stream.index import write_index
from ddpm_lib.data.stream.tars import library

RESULT = ASSETS / "measured" / "stream.json"
COUNTS = (1_000, 10_000, 100_000)
SIZE, EACH, BATCH, WORKERS = 32, 1000, 128, 1
DISTINCT = 500  # pictures; more would only take longer to draw
BUFFER = 2**22  # bytes shuffled together: a 73rd of the largest set, so that all but the smallest must stream


def pictures() -> list[bytes]:
    """Encoded pictures: 4 x 4 random colors, enlarged smoothly, with a little noise on top."""
    rng, encoded = np.random.default_rng(0), []
    for _ in range(DISTINCT):
        small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        smooth = np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)).astype(int)
        noisy = (smooth + rng.integers(-4, 5, smooth.shape)).clip(0, 255).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(noisy).save(out, "PNG")
        encoded.append(out.getvalue())
    return encoded


def write(folder: Path, count: int) -> None:
    """Shards of `count` pictures in ten classes."""
    folder.mkdir()
    encoded, shards = pictures(), list[tuple[str, int]]()
    for first in range(0, count, EACH):
        name = f"{len(shards):06d}.tar"
        with (folder / name).open("wb") as file, library().TarWriter(file, mtime=0) as tar:
            for i in range(first, first + EACH):
                tar.write({"__key__": f"{i:08d}", "png": encoded[i % DISTINCT], "cls": str(i % 10).encode()})
        shards.append((name, EACH))
    write_index(folder, Index(SIZE, 3, tuple(map(str, range(10))), tuple(shards)))


def spent() -> float:
    """Seconds of processor time, of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def read(folder: Path, how: str) -> dict[str, float]:
    """One epoch, here and now: memory in MB, and images a second of processor time."""
    batches.BUFFER = BUFFER
    data = open_images(str(folder))
    assert isinstance(data, Shards)
    before = peak()
    begun = spent()
    if how == "loaded":
        held = data.head(len(data))
        seen, workers = len(held), 0.0
    else:
        stream = StreamedBatches(data, BATCH, workers=WORKERS)
        for step in range(stream.an_epoch):
            x0, _ = stream(step)
            assert len(x0) == BATCH
        seen = stream.an_epoch * BATCH
        workers = sum(peak(child.pid or 0) for child in multiprocessing.active_children())
        stream.close()  # ends the workers, whose time is counted only then
    return {
        "before_mb": round(before, 1),
        "process_mb": round(peak(), 1),
        "workers_mb": round(workers, 1),
        "images_per_cpu_second": round(seen / (spent() - begun)),
    }


def measure(count: int) -> list[dict[str, Any]]:
    """Streamed and loaded, each in a process of its own."""
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "shards"
        write(folder, count)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        for how in ("streamed", "loaded"):
            command = [sys.executable, "-m", "benchmarks.stream", "--read", str(folder), "--how", how]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append({"images": count, "how": how, "disk_mb": round(size, 1), **json.loads(done.stdout)})
            print(rows[-1], flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="images; multiples of 1000")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON file")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)  # how it calls itself
    parser.add_argument("--how", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        print(json.dumps(read(args.read, args.how)))
        return 0
    result = {
        "what": "largest resident memory and speed of one epoch, streamed from shards or loaded whole",
        "machine": {**machine(), "threads": torch.get_num_threads()},
        "image": f"{SIZE} x {SIZE} x 3, PNG",
        "batch": BATCH,
        "workers": WORKERS,
        "buffer_mb": BUFFER / 2**20,
        "units": "process_mb and workers_mb: high-water marks (VmHWM) at the end; before_mb: that of the process "
        "before it read, which is Python and torch alone. A worker shares its first pages with the process; they are "
        "counted in both. images_per_cpu_second: of the time of both together.",
        "rows": [row for count in args.counts for row in measure(count)],
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
