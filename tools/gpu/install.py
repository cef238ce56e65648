"""Put what a run brought home into the package: weights, cards, pictures and tables. Can be repeated."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from ddpm_lib.assets import measured, weights
from tools.checksums import write_sums
from tools.gpu.outbox import OutboxError, unpack, verify

MOST_BYTES = 40_000_000  # of all shipped weights together
CARD_ONLY = "nowhere: the package would weigh more than 40 MB; `make gpu` trains it anew"


def install(out: Path) -> int:
    """Check every checksum of `out`, then copy; the status is 0 when all is in its place."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        try:
            verify(out)
            unpack(out, work)
        except OutboxError as error:
            print(error, file=sys.stderr)
            return 2
        names = sorted({weights.PART.sub("", path.stem) for path in (work / "weights").glob("*.safetensors")})
        # the course's own network first: what no longer fits is told by its card alone
        for name in sorted(names, key=lambda name: name != "unet"):
            _network(work / "weights", name)
        write_sums(weights.FOLDER)
        tables = [path for path in sorted((work / "measured").glob("*")) if path.suffix in {".json", ".png"}]
        for path in tables:
            shutil.copyfile(path, measured.FOLDER / path.name)
        print(f"installed {', '.join([*names, *(path.name for path in tables)]) or 'nothing'}")
    return 0


def _network(source: Path, name: str) -> None:
    parts = weights.files(name, source)
    card = source / f"{name}.md"
    if not card.is_file():
        print(f"{name} has no card yet, so it is not installed: let the run go on, then install again.")
        return
    old = weights.files(name)
    others = sum(path.stat().st_size for path in weights.FOLDER.iterdir()) - sum(
        p.stat().st_size for p in old
    )
    fits = others + sum(part.stat().st_size for part in parts) < MOST_BYTES
    for path in old:
        path.unlink()
    for part in parts if fits else ():
        shutil.copyfile(part, weights.FOLDER / part.name)
    text = card.read_text(encoding="utf-8")
    if not fits:
        text = text.replace("the averaged weights, float16", CARD_ONLY)
        print(
            f"{name} would make the weights heavier than {MOST_BYTES / 1e6:.0f} MB: its card alone is installed."
        )
    (weights.FOLDER / card.name).write_text(text, encoding="utf-8")
    shutil.copyfile(source / f"{name}.png", weights.FOLDER / f"{name}.png")
