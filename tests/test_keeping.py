"""No work is lost and no file is overwritten: two runs, a full disk, a folder that goes away, a wrong place."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ddpm_lib import CourseError, load
from ddpm_lib.__main__ import main
from ddpm_lib.cli import lock
from ddpm_lib.cli.lock import locked
from ddpm_lib.models import place
from tests.kept_run import CHECKPOINT, files, refused
from tests.kept_run import at_first_progress as at_first_progress
from tests.kept_run import photos as photos
from tests.kept_run import run as run
from tests.tiny import CPU
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")


def test_an_older_copy_beside_the_newest_does_not_replace_it(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(run / CHECKPOINT, run / "older.safetensors")
    assert main(["train", "--resume", str(run), "--steps", "6", *CPU]) == 0
    before = files(run)
    argv = ["train", "--resume", str(run / "older.safetensors"), "--steps", "5", *CPU]
    assert "would be overwritten" in refused(argv, capsys)
    assert files(run) == before


def test_two_runs_into_one_folder(run: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(run)
    with locked(run):
        argv = ["train", "--resume", str(run), "--steps", "9", *CPU]
        assert "Another run is training in" in refused(argv, capsys)
    assert files(run) == before
    new = run.with_name("new")
    with locked(new):
        assert "Another run" in refused(["train", "--data", str(photos), "--out", str(new), *CPU], capsys)
    assert not new.exists()  # what stayed empty is taken away
    assert main(["train", "--resume", str(run), "--steps", "5", *CPU]) == 0


def test_a_killed_run_holds_no_lock(run: Path) -> None:
    code = "import sys, time; from pathlib import Path; from ddpm_lib.cli.lock import locked\nwith locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(1000)"  # noqa: E501
    process = subprocess.Popen([sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(CourseError, match="Another run"), locked(run):
        pass
    process.kill()
    process.wait()
    with locked(run):
        pass


def test_what_a_killed_run_left_half_written_is_taken_away(run: Path) -> None:
    before = files(run)
    place.part_of(run / CHECKPOINT).write_bytes(b"half")
    with locked(run):
        assert files(run) == before


def test_without_the_systems_locks_a_file_names_the_process(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", unknown)
    named = run / "loss.csv.lock"
    with locked(run):
        assert named.read_text() == f"{socket.gethostname()} {os.getpid()}"
        with pytest.raises(CourseError, match="Another run"), locked(run):
            pass
    assert not named.exists()
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    named.write_text(f"{socket.gethostname()} {done.pid}")  # of a process that is gone
    with locked(run):
        pass
    named.write_text(f"elsewhere {done.pid}")
    with pytest.raises(CourseError, match="if it is none, remove"), locked(run):
        pass


def test_a_checkpoint_that_another_wrote_meanwhile_is_left_as_it_is(
    run: Path, at_first_progress: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    at_first_progress.append(lambda: (run / CHECKPOINT).write_bytes(b"another's"))
    said = refused(["train", "--resume", str(run), "--steps", "8", "--save-every", "0.001", *CPU], capsys)
    assert "was written by another run meanwhile" in said
    assert (run / CHECKPOINT).read_bytes() == b"another's"
    (saved,) = Path.cwd().glob(f"ddpm-run-*/{CHECKPOINT}")
    assert f"The run was saved in {saved} instead" in said
    assert load(saved).step == 8


@pytest.mark.parametrize("form", [[], ["--half"], ["--web"], ["--onnx"], ["--diffusers"]])
def test_one_file_for_the_exports_of_two_runs(
    run: Path, form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(run, run.with_name("other"))
    out = Path("out")
    if "--diffusers" in form:
        out.mkdir()
        (out / "model_index.json").write_text("{}")
    else:
        out.write_bytes(b"of the first")
    before = files(out.parent, run, other)
    assert "exists and may be another network's" in refused(
        ["export", str(other), "--out", str(out), *form], capsys
    )
    assert files(out.parent, run, other) == before


def test_exports_stay_in_the_folder_of_their_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, name in ((["--onnx"], "model.onnx"), (["--diffusers"], "diffusers"), (["--web"], "model.js")):
        assert main(["export", str(run), *form, "--dry-run"]) == 0
        assert f"out = {run / name}\n" in capsys.readouterr().out
    for _ in range(2):  # a run's own export is replaced by a newer one
        assert main(["export", str(run)]) == 0
    before = files(run)
    for name in (CHECKPOINT, "loss.csv", "weights.safetensors"):
        refused(["export", str(run), "--out", str(run / name)], capsys)
    shutil.copy(run / CHECKPOINT, run / "older.safetensors")
    assert "may be another network's" in refused(["export", str(run / "older.safetensors")], capsys)
    (run / "older.safetensors").unlink()
    argv = ["evaluate", str(run), "--json", str(run / CHECKPOINT), *CPU]
    assert "is no .json file" in refused(argv, capsys)
    assert files(run) == before
