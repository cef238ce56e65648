"""What a run writes, its checkpoint and its log: never over another's, and a disk that fails costs no work."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ddpm_lib import CourseError
from ddpm_lib.cli.common import UsageError, typed
from ddpm_lib.cli.lock import LOG
from ddpm_lib.models.place import others

Stamp = tuple[int, ...] | None


def stamp(path: Path) -> Stamp:
    """What tells a file from another that takes its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class Keeper:
    """Writes a run's checkpoint to `path` by `write`, and its rows to the log beside it.

    `known` is the stamp of the file that the run came from, where it lies there.
    """

    def __init__(self, path: Path, write: Callable[[Path], None], known: Stamp = None) -> None:
        self.path, self.write, self.known = path, write, known
        self.rows: list[str] = []

    def save(self) -> None:
        """Write the checkpoint, and the rows that it goes with. Raises CourseError, and the old file is as it was."""
        if stamp(self.path) not in (self.known, None):
            raise UsageError(f"{self.path} was written by another run meanwhile, and is left as it is.")
        self._log()
        self.write(self.path)
        self.known = stamp(self.path)

    def try_to_save(self) -> None:
        """As `save`; where it fails the run goes on, and says so."""
        try:
            self.save()
        except CourseError as error:
            print(f"\nnot saved yet, the run goes on: {error}", file=sys.stderr)

    def save_somewhere(self) -> None:
        """As `save`, and where that fails in a new folder elsewhere: UsageError says where."""
        try:
            self.save()
        except CourseError as error:
            for folder in others(self.path):
                try:
                    made = Path(tempfile.mkdtemp(prefix="ddpm-run-", dir=folder)).resolve()
                except OSError:
                    continue
                path = made / self.path.name
                try:
                    self.write(path)
                except (CourseError, OSError):
                    with suppress(OSError):
                        made.rmdir()
                    continue
                raise UsageError(
                    f"{error} The run was saved in {path} instead: go on with `train --resume {typed(path)}`."
                ) from error
            raise UsageError(f"{error} The run could not be saved anywhere else, either.") from error

    def _log(self) -> None:
        """Add the rows to the log; what cannot be written waits for the next time."""
        log = self.path.with_name(LOG)
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            before = log.stat().st_size if log.exists() else 0
            try:
                with log.open("a") as file:
                    file.writelines(self.rows)
            except OSError:
                os.truncate(log, before)
                raise
            self.rows.clear()
        except OSError as error:
            print(f"\n{log} could not be written ({error.strerror}): its rows wait.", file=sys.stderr)
