"""Several processes from the command line: one dies, all stop together, and the run goes on in one or two."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ddpm_lib import load
from ddpm_lib.__main__ import main
from tests.launching import TESTS, accelerate, environment, execute, losses, same_end, torchrun, training
from tests.launching import folder as folder
from tests.launching import straight as straight


@pytest.fixture(scope="module")
def killed(folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The same run by torchrun in two processes, one of which is killed in step 26."""
    command = training(folder, "killed", "--save-every", "0.001")
    return folder / "killed", execute(torchrun(str(TESTS / "killed_script.py"), *command), folder)


def test_a_process_that_dies_ends_the_run_with_one_sentence_and_a_checkpoint(
    killed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = killed
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "ddpm_lib train (process 0): " in line]
    assert len(said) == 1, done.stderr
    assert "Another of the 2 processes ended or does not answer" in said[0]
    assert f"go on from the last checkpoint with `train --resume {out}" in said[0]
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.safetensors", "loss.csv"]
    assert load(out / "checkpoint.safetensors").step == 20
    assert list(losses(out)) == [10, 20]


def test_what_is_left_of_it_goes_on_in_one_process_as_the_straight_run(
    folder: Path, straight: Path, killed: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    shutil.copytree(killed[0], folder / "resumed")
    assert main(["train", "--resume", str(folder / "resumed"), "--device", "cpu"]) == 0
    same_end(straight, folder / "resumed")


@pytest.mark.slow
def test_and_in_two_that_accelerate_launches(
    folder: Path, straight: Path, killed: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    shutil.copytree(killed[0], folder / "again")
    command = ["train", "--resume", str(folder / "again"), "--device", "cpu"]
    done = execute(accelerate("-m", "ddpm_lib", *command), folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Finished after 40 steps") == 1  # one process speaks
    same_end(straight, folder / "again")


@pytest.mark.slow
def test_ctrl_c_stops_all_processes_and_saves_once(folder: Path) -> None:
    command = torchrun("-m", "ddpm_lib", *training(folder, "stopped", "--steps", "1000000"))
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 900
    while not (folder / "stopped" / "loss.csv").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "training did not start"
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)  # to the launcher and what shares its terminal
    stdout, stderr = process.communicate(timeout=900)
    assert stdout.count("Stopped after") == 1, stderr
    assert stderr.count("stopping after the next few steps") == 1
    assert load(folder / "stopped" / "checkpoint.safetensors").step > 0
