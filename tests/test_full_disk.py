"""A disk that is really full, kills at random moments, and two processes on one run: nothing is lost, all is said.

The disk is a tmpfs of a few hundred kilobytes in a name space of the test's own, which needs no root where the system
allows it. `python -m tests.test_full_disk --kills 20` kills more often than the gate has time for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.disk_script import ROOM
from tests.tiny import pictures

ROOT = Path(__file__).parent.parent


def small_disk() -> str:
    """Why no small disk can be made here; nothing where one can."""
    if not (unshare := shutil.which("unshare")):
        return "there is no `unshare`"
    argv = [unshare, "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    done = subprocess.run(argv, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


def on_a_disk(where: Path, small: bool, *words: str) -> subprocess.CompletedProcess[str]:
    """tests/disk_script.py; where `small`, it has a tmpfs of ROOM bytes at `where` that nobody else sees."""
    inner = f'mount -t tmpfs -o size={ROOM} tmpfs "$0" && exec "$@"'
    apart = ["unshare", "-rm", "sh", "-c", inner, str(where)] if small else []
    argv = [*apart, sys.executable, "-m", "tests.disk_script", str(where), *words]
    here = where.parent  # where a run that finds no room is saved
    path = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(here)}
    return subprocess.run(argv, cwd=here, env=path, capture_output=True, text=True)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """One process that does it all, so that torch is loaded once."""
    if os.name != "posix":
        pytest.skip("there is no SIGKILL here")
    folder = tmp_path_factory.mktemp("disk")
    (folder / "disk").mkdir()
    return on_a_disk(folder / "disk", not small_disk(), str(pictures(folder / "photos")), "3", "0")


def test_a_run_that_is_killed_with_another_on_it_ends_to_the_bit(
    session: subprocess.CompletedProcess[str],
) -> None:
    """On a disk that is full half of the time, where there can be one here: nothing is lost."""
    hits = re.search(r"^held (\d+) kills$", session.stdout, re.MULTILINE)
    assert hits, session.stdout + session.stderr
    assert int(hits[1]) >= 1


def test_on_a_full_disk_every_command_keeps_the_old_file_and_says_so(
    session: subprocess.CompletedProcess[str],
) -> None:
    if why := small_disk():
        pytest.skip(f"no small disk can be made here: {why}")
    assert session.returncode == 0, session.stdout + session.stderr
    held = [line for line in session.stdout.splitlines() if line.startswith("held ")]
    assert held[1:] == [f"held {name}" for name in ("train", "sample", "export", "web", "shard")]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "disk").mkdir()
        photos, kills = pictures(Path(name) / "photos"), sys.argv[2] if sys.argv[1:2] == ["--kills"] else "20"
        done = on_a_disk(Path(name) / "disk", not small_disk(), str(photos), kills, "1")
        print(done.stdout + done.stderr)
        sys.exit(done.returncode)
