"""The command line, as a newcomer meets it: help, dry runs, a small run from training to pictures, mistakes."""

from __future__ import annotations

import json
import math
import re
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.train.presets import PRESETS
from tests.command_runs import photos as photos
from tests.command_runs import run as run
from tests.command_runs import train
from tests.command_runs import trained as trained

COMMANDS = ("train", "sample", "evaluate", "export", "diagnose")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert "--dry-run" in text
    # Each option is followed by words, not by the next option.
    bare = re.findall(r"^  (--\S+(?: \S+)?)$\n^  (?=--|$)", text, flags=re.MULTILINE)
    assert not bare, f"options without a word of help: {bare}"


@pytest.mark.parametrize("name", PRESETS)
def test_a_dry_run_of_every_preset_prints_the_whole_configuration(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kind = "resnet" if "resnet" in name else "unet"
    assert main(["train", kind, "--preset", name, "--dry-run", "--device", "cpu"]) == 0
    text = capsys.readouterr().out
    for line in (
        "model.channels = 1",
        f"schedule = {PRESETS[name].schedule}, T = 500",
        "train.lr =",
        "parameters =",
    ):
        assert line in text
    assert list(tmp_path.iterdir()) == []  # a dry run writes nothing


def test_training_writes_a_checkpoint_that_samples_evaluates_and_exports(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    losses = [float(line.split(",")[1]) for line in (run.parent / "loss.csv").read_text().splitlines()]
    assert len(losses) == 2
    assert load(run).step == 20
    assert load(run).about.classes == ("cats", "dogs")

    grid = tmp_path / "grid.png"
    sampling = ["--count", "6", "--columns", "3", "--steps", "3", "--device", "cpu"]
    assert main(["sample", str(run), "--grid", str(grid), *sampling]) == 0
    assert Image.open(grid).size == (3 * (3 * 10 + 2), 3 * (2 * 10 + 2))  # zoomed 3 times, 2 pixels between

    table = tmp_path / "table.json"
    command = ["evaluate", str(run), "--data", str(photos), "--json", str(table), "--device", "cpu"]
    assert main([*command, "--bits", "2"]) == 0
    values = json.loads(table.read_text())
    assert list(values) == [*(f"loss at t = {t}" for t in (10, 50, 150, 300, 500)), "bits per dimension"]
    assert main([*command, "--bits", "0"]) == 0
    assert "bits per dimension" not in json.loads(table.read_text())
    assert all(math.isfinite(value) and value >= 0 for value in values.values())
    assert (
        values["loss at t = 10"] > values["loss at t = 300"]
    )  # from x0_hat, eps is hardest where t is small

    weights = tmp_path / "weights.safetensors"
    assert main(["export", str(run), "--out", str(weights), "--half"]) == 0
    assert weights.stat().st_size < run.stat().st_size / 6
    again = tmp_path / "again.png"
    assert main(["sample", str(weights), "--grid", str(again), *sampling]) == 0
    difference = np.asarray(Image.open(grid), float) - np.asarray(Image.open(again), float)
    assert np.abs(difference).max() <= 4  # half precision changes no pixel visibly
    capsys.readouterr()


def test_what_was_measured_is_said_kept_and_used_for_the_samples(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "ddpm_lib.cli.first_pass.fastest",
        lambda model, x0, config: replace(config, precision="float32", channels_last=True, winograd=32),
    )
    out = tmp_path / "run"
    command = ["train", "unet", "--data", str(photos), "--size", "8", "--batch", "4", "--steps", "2"]
    assert main([*command, "--device", "cpu", "--out", str(out)]) == 0
    said = "float32, channels last, Winograd's convolutions from 32 feature maps on"
    assert said in capsys.readouterr().out
    path = out / "checkpoint.safetensors"
    assert load(path).training["winograd"] == 32
    used: list[int] = []
    monkeypatch.setattr("ddpm_lib.cli.sample.use_winograd", lambda network, channels: used.append(channels))
    grid = str(tmp_path / "grid.png")
    assert main(["sample", str(path), "--count", "1", "--steps", "2", "--device", "cpu", "--grid", grid]) == 0
    assert used == [32]
    assert "Wrote 1 image to " in capsys.readouterr().out


def test_the_other_dry_runs_print_what_they_would_do(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, line in (
        ("sample", "steps = 50 of T = 500"),
        ("evaluate", "samples = none: they are judged for MNIST only"),
        ("export", "out ="),
    ):
        before = sorted(run.parent.iterdir())
        assert main([command, str(run), "--dry-run"]) == 0
        assert line in capsys.readouterr().out
        assert sorted(run.parent.iterdir()) == before


def test_resuming_on_the_command_line_equals_a_straight_run(photos: Path, tmp_path: Path) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    # No decay by the clock, and the same length: only the interruption differs.
    assert train(photos, straight, "--steps", "40") == 0
    interrupt_after(photos, broken, steps=40)
    path = broken / "checkpoint.safetensors"
    assert load(path).step < 40
    assert train(photos, broken, "--resume", str(path)) == 0
    a, b = load(straight / "checkpoint.safetensors"), load(path)
    assert b.step == 40
    for name, tensor in a.tensors.items():
        assert torch.equal(tensor, b.tensors[name]), name


def interrupt_after(photos: Path, out: Path, steps: int) -> None:
    """Stop a run by an interrupt at its first Progress, as Ctrl-C would."""
    import ddpm_lib.cli.watch as command

    real = command.describe

    def interrupting(p: object) -> str:
        signal.raise_signal(signal.SIGINT)
        return real(p)  # type: ignore[arg-type]

    command.describe = interrupting
    try:
        assert train(photos, out, "--steps", str(steps)) == 0
    finally:
        command.describe = real


def test_a_finished_run_says_so(run: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(photos, run.parent, "--resume", str(run)) == 0
    assert "finished already" in capsys.readouterr().out


def test_resuming_takes_the_data_and_the_size_from_the_checkpoint(run: Path, photos: Path) -> None:
    assert main(["train", "--resume", str(run.parent), "--steps", "30", "--device", "cpu"]) == 0
    again = load(run)
    assert again.step == 30
    assert again.about.data == str(photos)
    assert again.about.shape == (3, 8, 8)


def test_diagnose_prints_a_line_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "cpu-minutes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in lines[:-1]] == ["ok "] * (len(lines) - 1)
    assert lines[-2].startswith("ok   walk")
    assert lines[-1].startswith("No fault that is known here.")
