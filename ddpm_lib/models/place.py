"""Where a file is to be written: tried before work begins, then written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from ddpm_lib import CourseError


class PlaceError(CourseError):
    """A place where nothing can be written; the message names another one."""


def check_place(path: str | Path, folder: bool = False) -> None:
    """Raise PlaceError unless a file (or a `folder`) can be written at `path` now. Leaves nothing behind."""
    path = Path(path)
    try:
        if path.is_dir() and not folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if folder and path.exists() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if path.exists() and not path.is_dir() and not path.is_file():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        if path.is_file() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        part_of(path).exists()  # raises where a name is too long
        parent = path if folder else path.parent
        while not parent.exists():
            parent = parent.parent
        _try(parent)
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Raise PlaceError where `path` cannot be written in here. safetensors has an error of its own for a full disk."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise unwritable(Path(path), error) from error


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A place beside `path` to write to; what was written there becomes `path` at the end, or nothing changes.

    Raises PlaceError where writing fails.
    """
    path = Path(path)
    part = part_of(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            remove_part(path)


def part_of(path: Path) -> Path:
    """Where a file is written before it is whole."""
    return path.with_name(path.name + ".part")


def write_text(path: str | Path, text: str) -> None:
    """Write a whole text, or nothing. Raises PlaceError."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def unwritable(path: Path, error: Exception) -> PlaceError:
    """The sentence for a place that cannot be written to."""
    number = getattr(error, "errno", None)
    if found := re.search(r"\(os error (\d+)\)", str(error)):  # in an error of safetensors
        number = int(found[1])
    reason = os.strerror(number) if number else " ".join(str(error).split())
    room = "make room, or " if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else ""
    other = next(others(path), None)
    return PlaceError(
        f"{path} could not be written ({reason}); what was there before is kept: {room}choose another place"
        f"{f', such as {other / path.name}' if other else ''}."
    )


def others(path: Path) -> Iterator[Path]:
    """The current folder and the one for temporary files, where they are others than `path`'s and can be used."""
    for folder in (Path(os.curdir), Path(tempfile.gettempdir())):
        try:
            if folder.resolve() != path.parent.resolve():
                _try(folder)
                yield folder
        except OSError:
            continue


def usual_mode() -> int:
    """The permissions that this process gives to a new file; safetensors makes one that nobody else can read."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _try(folder: Path) -> None:
    """Raise OSError unless a byte can be written to a file in `folder`."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 4096)


def remove_part(path: Path) -> None:
    """Take away what was written of `path` and did not become whole, by this process or by one that was killed."""
    with suppress(OSError):  # its folder is gone, or turned read-only: the first error says so
        part_of(path).unlink(missing_ok=True)
