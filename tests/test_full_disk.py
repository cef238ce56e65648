"""A disk that is really full, kills at random moments, and two processes on one run: nothing is lost, all is said.

The disk is a tmpfs of a few hundred kilobytes in a name space of the test's own, which needs no root where the system
allows it. `python -m tests.test_full_disk --kills 20` kills more often than the gate has time for.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ddpm_lib.models import storage
from tests.disk_script import ROOM
from tests.tiny import pictures

ROOT = Path(__file__).parent.parent
CHECKPOINT = "checkpoint.safetensors"


def small_disk() -> str:
    """Why no small disk can be made here; nothing where one can."""
    if not (unshare := shutil.which("unshare")):
        return "there is no `unshare`"
    argv = [unshare, "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    done = subprocess.run(argv, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


def on_a_disk(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """tests/disk_script.py, which has a tmpfs of ROOM bytes at `where` that nobody else sees."""
    inner = f'mount -t tmpfs -o size={ROOM} tmpfs "$0" && exec "$@"'
    argv = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        inner,
        str(where),
        sys.executable,
        "-m",
        "tests.disk_script",
        str(where),
    ]
    here = where.parent  # where a run that finds no room is saved
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([*argv, *words], cwd=here, env=path, capture_output=True, text=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("disk") / "photos")


def test_on_a_full_disk_every_command_keeps_the_old_file_and_says_so(photos: Path, tmp_path: Path) -> None:
    if why := small_disk():
        pytest.skip(f"no small disk can be made here: {why}")
    (tmp_path / "disk").mkdir()
    done = on_a_disk(tmp_path / "disk", str(photos))
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("held ")] == [
        f"held {name}" for name in ("train", "sample", "export", "web", "shard")
    ]


def steps(file: Path) -> int:
    """How far a checkpoint is."""
    return int(storage.read(file)[1]["optimizer.0.step"])


def start(run: Path, photos: Path, more: int) -> subprocess.Popen[str]:
    """A run of `more` steps in a process of its own, which saves all the time."""
    argv = [sys.executable, "-m", "tests.disk_script", "train", str(run), str(photos), str(more)]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed_again_and_again(folder: Path, photos: Path, kills: int, seed: int, total: int) -> None:
    """A run that is killed so often, each time with a second process on it, ends as one that never was."""
    rng, run = random.Random(seed), folder / "run"
    for _ in range(kills):
        first = start(run, photos, total)
        began = time.monotonic()
        while first.poll() is None and not (run / CHECKPOINT).exists() and time.monotonic() < began + 300:
            time.sleep(0.05)
        second = start(run, photos, total)
        time.sleep(rng.uniform(0, 1.0))
        first.send_signal(signal.SIGKILL)
        first.communicate()
        said = second.communicate(timeout=600)[1]
        # The second was refused, or came after the first's end and went on itself.
        assert second.returncode in (0, 2), said
        if second.returncode:
            assert "Another run is training in" in said or "was written by another run meanwhile" in said
        assert (run / CHECKPOINT).is_file()
        rows = [
            int(row.partition(",")[0]) for row in (run / "loss.csv").read_text().splitlines() if "," in row
        ]
        assert rows == sorted(rows)
        if second.returncode == 0:
            break
    last = start(run, photos, total)
    assert last.communicate(timeout=600)[0] is not None
    assert last.returncode == 0
    straight = start(folder / "straight", photos, total)
    straight.communicate(timeout=600)
    killed, whole = (storage.read(each / CHECKPOINT)[1] for each in (run, folder / "straight"))
    assert killed.keys() == whole.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, killed[name]), name
    assert steps(run / CHECKPOINT) == total
    # a kill in the middle of a write leaves what was being written, and nothing else
    assert {path.name.removesuffix(".part") for path in run.iterdir()} <= {CHECKPOINT, "loss.csv"}


def test_a_run_that_is_killed_with_another_on_it_ends_to_the_bit(photos: Path, tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("there is no SIGKILL here")
    killed_again_and_again(tmp_path, photos, kills=2, seed=0, total=200)


if __name__ == "__main__":
    import tempfile

    count = int(sys.argv[2]) if sys.argv[1:2] == ["--kills"] else 20
    for number in range(count // 4 or 1):
        with tempfile.TemporaryDirectory() as name:
            made = pictures(Path(name) / "photos")
            killed_again_and_again(Path(name), made, kills=4, seed=number, total=2000)
            print(f"{4 * number + 4} kills: to the bit")
