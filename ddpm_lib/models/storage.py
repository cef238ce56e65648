"""One safetensors file with a JSON header: read, written whole or not at all, split. No pickle anywhere."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ddpm_lib import CourseError
from ddpm_lib.models.place import PlaceError, replacing, usual_mode

FORMAT = "ddpm_lib/1"

# A run's file in its folder
CHECKPOINT = "checkpoint.safetensors"
TRIES = 20  # to read a file before another takes its place


class CheckpointError(CourseError):
    """A file that is not a checkpoint, or not a whole one, or lacks what was asked of it."""


def file_of(path: str | Path) -> Path:
    """The file that is meant: in a run's folder its checkpoint."""
    path = Path(path)
    return path / CHECKPOINT if path.is_dir() else path


def read(path: str | Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors of a file of ours, or of a run's folder.

    Raises CheckpointError, in one sentence, for any other file.
    """
    path = file_of(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CheckpointError(f"{path} is no file: pass the checkpoint.safetensors of a run.")
        path.open("rb").close()  # so that the reason is the system's own
        metadata, tensors = _of_one_moment(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(f"{path} does not exist: pass the checkpoint.safetensors of a run.") from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error.strerror or error}): allow it, or pass another checkpoint."
        ) from error
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}): it was cut short or is something else; "
            "use another checkpoint."
        ) from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a safetensors file, but not one of {FORMAT}: pass a file written by `python -m ddpm_lib train`."
        )
    return metadata, tensors


def _of_one_moment(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of one and the same file, where its run puts a newer one in its place meanwhile.

    safetensors opens a file twice, by its name: the header may be that of the older one, the numbers of the newer.
    """
    for _ in range(TRIES):
        before = _stamp(path)
        try:
            with safe_open(path, framework="pt") as file:
                # Copies: a view of the file would kill the process (SIGBUS) where another overwrites it later.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
                metadata = file.metadata() or {}
        except (SafetensorError, RuntimeError):
            if _stamp(path) == before:
                raise
        else:
            if _stamp(path) == before:
                return metadata, tensors
    raise CheckpointError(
        f"{path} was replaced each time that it was read: read a copy of it, or wait for its run."
    )


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when another file takes the place of this one."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def write(path: str | Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write the tensors, and the header as JSON, beside the file's place; then move it there whole."""
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    _save(Path(path), plain, {"format": FORMAT, "config": json.dumps(header)})


def split(source: Path, targets: Sequence[Path]) -> list[Path]:
    """Spread the tensors of one file over several of about one size, each with the same header."""
    metadata, tensors = read(source)
    parts: list[dict[str, Tensor]] = [{} for _ in targets]
    sizes = [0] * len(targets)
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].nbytes):  # the largest first
        smallest = sizes.index(min(sizes))
        parts[smallest][name] = tensor
        sizes[smallest] += tensor.nbytes
    for target, part in zip(targets, parts, strict=True):
        _save(target, part, metadata)
    return list(targets)


def tuples(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration as read from JSON, which knows lists only: ours are frozen and hold tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}


def _save(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    try:
        with replacing(path) as part:
            save_file(tensors, part, metadata)
            os.chmod(part, usual_mode())
    except PlaceError as error:
        raise CheckpointError(str(error)) from error
