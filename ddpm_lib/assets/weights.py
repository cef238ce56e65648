"""Trained weights that come with the package, by name; a large network lies in several files."""

from __future__ import annotations

import re
from pathlib import Path

from ddpm_lib.data import ASSETS, verified
from ddpm_lib.models.storage import CheckpointError, split
from ddpm_lib.models.trained import Trained, load_trained

FOLDER = ASSETS / "weights"
PART = re.compile(
    r"-\d+-of-\d+$"
)  # cpu-hour.safetensors, or unet-1-of-2.safetensors and unet-2-of-2.safetensors
MOST_BYTES = 15_000_000  # of one file


def shipped() -> list[str]:
    """The names that `ddpm_lib.load` knows."""
    return sorted({PART.sub("", path.stem) for path in FOLDER.glob("*.safetensors")})


def files(name: str, folder: Path | None = None) -> list[Path]:
    """The files of shipped weights, in order."""
    return sorted(
        path for path in (folder or FOLDER).glob("*.safetensors") if PART.sub("", path.stem) == name
    )


def load_weights(name: str | Path) -> Trained:
    """Shipped weights by name, checksums verified, or any checkpoint by path."""
    if not isinstance(name, (str, Path)) or not str(name).strip() or "\0" in str(name):
        raise CheckpointError(f"{name!r:.60} is no name: pass a checkpoint's path, {', '.join(shipped())}.")
    if str(name) in shipped():
        parts = files(str(name))
        count = PART.search(parts[0].stem)
        if count and len(parts) != int(count[0].split("-")[-1]):
            raise CheckpointError(f"Of the weights {name!r} some files are missing: reinstall ddpm-lib.")
        for part in parts:
            verified(part)
        return load_trained(*parts)
    if Path(name).suffix or Path(name).exists():
        return load_trained(name)
    known = ", ".join(["a checkpoint's path", *shipped()])
    raise CheckpointError(f"There are no weights {str(name)!r}: pass {known}.")


def cards() -> list[str]:
    """The names of all networks that were measured; a very large one is not shipped itself."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def card(name: str) -> dict[str, str]:
    """The rows of a measured network's card, such as "Training" and "Frechet distance", as they are printed there."""
    path = FOLDER / f"{name}.md"
    if not path.is_file():
        raise CheckpointError(f"There is no card {name!r}: pass one of {', '.join(cards())}.")
    text = path.read_text(encoding="utf-8")
    return dict(re.findall(r"^\| (\S.*?) \| (\S.*?) \|$", text, re.MULTILINE))


def install(source: Path, name: str, folder: Path | None = None) -> list[Path]:
    """Put exported weights into the package (or `folder`) under `name`, in files of at most MOST_BYTES."""
    for old in files(name, folder):
        old.unlink()
    count = -(-source.stat().st_size // MOST_BYTES)
    names = [name] if count == 1 else [f"{name}-{i + 1}-of-{count}" for i in range(count)]
    return split(source, [(folder or FOLDER) / f"{each}.safetensors" for each in names])
