"""Trainings in the background: the right one next, one at a time, gently stopped, and gone on with to the bit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import rungs
from ddpm_lib.data import Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import build
from ddpm_lib.models.trained import About
from ddpm_lib.train import start, train
from ddpm_lib.train.checkpoint import load_checkpoint, save_checkpoint
from ddpm_lib.train.presets import LADDER, PRESETS
from tools import background, keeper

ROOT = Path(__file__).parent.parent


def save(path: Path, name: str, steps: int) -> None:
    """A checkpoint of a preset that has taken no step, and says that it took so many."""
    preset = PRESETS[name]
    state = start(build(preset.model), preset.train)
    batches = Batches(mnist(train=False), 2)
    *_, last = train(
        state.model,
        GaussianDiffusion(preset.noise_schedule()),
        batches,
        replace(preset.train, steps=1),
        state,
    )
    last.state.step = steps
    save_checkpoint(path, last.state, preset.noise_schedule(), preset.train, About("mnist"))


def test_the_queue_holds_every_rung_from_the_half_network_to_the_whole() -> None:
    names = background.queue()
    assert (names[0], names[-1]) == ("classic-half", "classic-unet")
    assert sorted(names) == sorted(LADDER)


def test_what_is_trained_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "queue", lambda: ["timed-resnet", "classic-resnet", "wide-resnet"])
    monkeypatch.setattr(rungs, "FOLDER", tmp_path / "shipped")
    assert background.next_up(tmp_path) == "timed-resnet"
    path = tmp_path / "timed-resnet" / "checkpoint.safetensors"
    save(path, "timed-resnet", 9_000)
    assert background.next_up(tmp_path) == "timed-resnet"  # not to its end yet
    assert background.command("timed-resnet", tmp_path, [])[3:6] == ["train", "--resume", str(path)]
    save(path, "timed-resnet", 9_370)
    assert background.next_up(tmp_path) == "classic-resnet"
    assert background.command("classic-resnet", tmp_path, [])[3:7] == [
        "train",
        "resnet",
        "--preset",
        "classic-resnet",
    ]


def call(runs: Path, *options: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "tools.background", "--runs", str(runs), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_a_session_of_its_own_gives_way_as_a_whole() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        keeper.give_way(process.pid, 19)
        group = Path(f"/proc/{process.pid}/autogroup")
        try:
            if group.is_file():
                assert group.read_text().split()[-2:] == ["nice", "19"]
        finally:
            process.kill()
    keeper.give_way(process.pid, 19)  # it is gone: nothing happens


@pytest.mark.slow
def test_a_run_is_started_once_stopped_gently_and_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    said = call(runs, "--nice", "2", "--batch", "2", "--precision", "float32")
    try:
        assert re.match(r"classic-half runs in the background \(process \d+\)", said)
        folder = runs / "classic-half"
        while b"step " not in (folder / "log.txt").read_bytes():  # it takes its first steps
            time.sleep(0.5)
        process = keeper.elsewhere("classic-half", runs)
        assert process is not None
        if Path("/proc").is_dir():
            nice = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[16]
            assert int(nice) == min(os.nice(0) + 2, 19)
            environment = Path(f"/proc/{process}/environ").read_bytes()
            assert {b"OMP_NUM_THREADS=1", b"OMP_WAIT_POLICY=passive"} <= set(environment.split(b"\0"))
        assert background.start(runs, []) == 1
        assert "in progress already" in capsys.readouterr().out
        assert (folder / "frozen" / "ddpm_lib" / "__init__.py").is_file()
    finally:
        call(runs, "--stop")
    checkpoint = load_checkpoint(folder)
    assert checkpoint.step > 0
    assert background.stop(runs) == 1
    assert "Nothing was started" in capsys.readouterr().out
    said = call(runs, "--status")
    assert f"{checkpoint.step:,} of 9,370 steps" in said
    assert json.loads((folder / "machine.json").read_text())["threads"] == 1
    line = next(line for line in said.splitlines() if line.startswith("classic-half"))
    assert line.endswith("not running")


def test_a_run_of_another_hand_is_not_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder is trained into by a `train` that was typed."""
    (tmp_path / "ddpm_lib").mkdir()
    (tmp_path / "ddpm_lib" / "__main__.py").write_text("import time; print(flush=True); time.sleep(600)")
    runs = tmp_path / "runs"
    command = [sys.executable, "-m", "ddpm_lib", "train", "unet", "--out", str(runs / "classic-half")]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, env={"PYTHONSAFEPATH": ""})
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert keeper.elsewhere("classic-half", runs) == process.pid
        assert background.start(runs, []) == 1
    finally:
        process.kill()
        process.wait()
    assert keeper.elsewhere("classic-half", runs) is None
