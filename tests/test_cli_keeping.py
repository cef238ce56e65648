"""What a command leaves: logs, parts, what others may read, a process that is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.cli.watch import trim_log
from ddpm_lib.models import storage
from tests.command_runs import mistake
from tests.command_runs import photos as photos
from tests.command_runs import run as run
from tests.command_runs import trained as trained


def test_an_interrupted_process_keeps_its_work(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [
        sys.executable, "-m", "ddpm_lib", "train", "--data", str(photos), "--size", "8", "--batch", "4",
        "--precision", "float32", "--steps", "1000000", "--out", str(out), "--device", "cpu",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    log = out / "loss.csv"
    while not log.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "training did not start within ten minutes"
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    assert "Stopped after" in stdout
    assert "--resume" in stdout
    assert load(out / "checkpoint.safetensors").step > 0


def test_what_is_made_to_be_shared_can_be_read_by_others(run: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert main(["export", str(run), "--out", str(tmp_path / "weights.safetensors")]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == 0o644


def test_a_disk_that_is_full_leaves_the_old_file_and_no_part(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = run.with_name("weights.safetensors")  # where a run's export replaces an earlier one
    out.write_bytes(b"what was there")

    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "save_file", full)
    assert "No space left on device); what was there before is kept" in mistake(["export", str(run)], capsys)
    assert not list(out.parent.glob("*.part"))
    assert out.read_bytes() == b"what was there"


def test_the_log_goes_no_further_than_the_checkpoint(tmp_path: Path) -> None:
    log = tmp_path / "loss.csv"
    log.write_text("2,0.5,1.0\n4,0.4,2.0\n6,0.3,3.0\n8,0.")  # killed in the middle of a row
    trim_log(log, 4)
    assert log.read_text() == "2,0.5,1.0\n4,0.4,2.0\n"


def test_a_row_that_a_kill_cut_short_is_no_earlier_step(tmp_path: Path) -> None:
    log = tmp_path / "loss.csv"
    log.write_text("2,0.5,1.0\n4,0.4,2.0\n1")  # of step 12
    trim_log(log, 4)
    assert log.read_text() == "2,0.5,1.0\n4,0.4,2.0\n"
