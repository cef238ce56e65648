"""A run that is killed, then every command, on a disk that fills up: for test_full_disk.py.

    python -m tests.disk_script DISK PHOTOS KILLS SEED

A disk is filled only where DISK is one of its own.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import torch

from ddpm_lib.__main__ import main
from ddpm_lib.models.storage import read
from ddpm_lib.train.presets import PRESETS
from tests.kills import kill_again_and_again
from tests.tiny import CPU, TINY, train

ROOM = 600_000  # bytes of the disk


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of every file, but for the ballast and the log, which may hold fewer rows."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("ballast", "loss.csv")
    }


def fill(disk: Path, leave: int) -> None:
    """Take all room but `leave` bytes."""
    size = 4096
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(size))
        except OSError:
            file.truncate(max(0, file.tell() // size * size - leave))


def on(disk: Path, photos: str) -> None:
    """Every command that writes, with room to begin but not to end: status 2, a sentence, and all as it was."""
    run = disk / "run"
    assert train(Path(photos), run, "--steps", "4") == 0
    commands = {
        "train": ["train", "--resume", str(run), "--steps", "9", *CPU],
        "sample": ["sample", str(run), "--grid", str(disk / "x.png"), "--count", "200", "--steps", "1", *CPU],
        "export": ["export", str(run)],
        "web": ["export", str(run), "--web"],
        "shard": ["shard", photos, str(disk / "shards"), "--size", "64"],
    }
    for name, argv in commands.items():
        old = {"sample": disk / "x.png", "export": run / "weights.safetensors", "web": run / "model.js"}.get(
            name
        )
        if old:
            old.write_bytes(b"older")
        fill(disk, leave=8192)
        before, said = files(disk), StringIO()
        with redirect_stderr(said):
            status = main(argv)
        lines = [line for line in said.getvalue().splitlines() if line.startswith("ddpm_lib ")]
        assert status == 2, (name, status, said.getvalue())
        assert len(lines) == 1, lines
        assert "No space left on device" in lines[0], lines
        assert files(disk) == before, (name, sorted(files(disk)))
        if name == "train":  # saved elsewhere, and said where
            saved = Path(lines[0].rpartition("--resume ")[2].rstrip("`."))
            assert f"in {saved} instead" in lines[0]
            assert int(read(saved)[1]["optimizer.0.step"]) == 9
        (disk / "ballast").unlink()
        print(f"held {name}")


if __name__ == "__main__":
    PRESETS["cpu-minutes"] = TINY
    torch.set_num_threads(1)
    place, images, kills, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    small = os.path.ismount(place)  # a disk that may be filled
    hits = kill_again_and_again(place, Path(images), kills, seed, fill if small else None)
    print(f"held {hits} kills")
    if small:
        shutil.rmtree(place / "run")
        on(place, images)
