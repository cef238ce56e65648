"""One run a folder: whoever writes there holds its log, and lets go of it when it ends, however it ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ddpm_lib import CourseError
from ddpm_lib.cli.common import UsageError
from ddpm_lib.models.place import remove_part, unwritable
from ddpm_lib.models.storage import CHECKPOINT
from ddpm_lib.train.machine.processes import Processes

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOG = "loss.csv"


@contextmanager
def alone(folder: Path, processes: Processes) -> Iterator[None]:
    """What trains in `folder` is this run alone: its main process holds the lock, and all of them hear a refusal."""
    with ExitStack() as held:
        refusal: str | None = None
        try:
            if processes.is_main:
                held.enter_context(locked(folder))
        except CourseError as error:
            refusal = str(error)
        if refusal := processes.first(refusal):
            raise UsageError(refusal)
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """This process is the only one that trains in `folder`; raises UsageError where another does.

    The lock is the system's own on the log, so that a killed process holds none. File systems without such locks get a
    file with the name of the process. What was made for it and stayed empty is taken away again, and what a killed run
    left half written at once.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    log = folder / LOG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        release = _locked(log)
    except OSError as error:
        raise unwritable(log, error) from error
    remove_part(folder / CHECKPOINT)
    try:
        yield
    finally:
        with suppress(OSError):
            if not log.stat().st_size:
                log.unlink()
        release()
        for each in made:
            with suppress(OSError):  # it holds something
                each.rmdir()


def _locked(log: Path) -> Callable[[], None]:
    """Take the lock; what gives it back."""
    while fcntl is not None:
        file = os.open(log, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if log.exists() and os.path.samestat(
                os.fstat(file), log.stat()
            ):  # else another took it away meanwhile
                return lambda: os.close(file)
            os.close(file)
        except BlockingIOError as error:
            os.close(file)
            raise _taken(log.parent) from error
        except OSError:  # as on some network disks
            os.close(file)
            break
    return _named(log.with_name(f"{LOG}.lock"))


def _named(lock: Path) -> Callable[[], None]:
    """The same by a file that says whose it is; that of a process that is gone counts for nothing."""
    mine = f"{socket.gethostname()} {os.getpid()}"
    for _ in range(2):
        try:
            with lock.open("x") as file:
                file.write(mine)
            return lambda: lock.unlink(missing_ok=True)
        except FileExistsError as error:
            host, _, pid = lock.read_text(errors="replace").partition(" ")
            if host != socket.gethostname() or not pid.isdecimal() or _lives(int(pid)):
                raise _taken(lock.parent, f" (if it is none, remove {lock})") from error
            lock.unlink(missing_ok=True)
    raise _taken(lock.parent)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _taken(folder: Path, how: str = "") -> UsageError:
    return UsageError(
        f"Another run is training in {folder} at this moment{how}: wait for it, or choose another --out."
    )
