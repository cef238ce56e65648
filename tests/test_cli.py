"""The command line, as a newcomer meets it: help, dry runs, a small run from training to pictures, mistakes."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.cli.evaluate import digits
from ddpm_lib.cli.watch import trim_log
from ddpm_lib.data import load_data
from ddpm_lib.models import storage
from ddpm_lib.train.presets import PRESETS

COMMANDS = ("train", "sample", "evaluate", "export", "diagnose")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small color pictures in two classes."""
    folder, rng = tmp_path_factory.mktemp("cli") / "photos", np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def train(photos: Path, out: Path, *more: str) -> int:
    options = ["--size", "8", "--batch", "4", "--precision", "float32", "--device", "cpu"]
    return main(["train", "unet", "--data", str(photos), "--out", str(out), *options, *more])


@pytest.fixture(scope="module")
def trained(photos: Path) -> Path:
    """A run of twenty steps on the photos: not to be changed."""
    assert train(photos, photos.parent / "run", "--steps", "20") == 0
    return photos.parent / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """The checkpoint of that run, in a folder of the test's own."""
    return shutil.copytree(trained, tmp_path / "run") / "checkpoint.safetensors"


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
        "ddpm_lib.cli.train.fastest",
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


def test_the_other_dry_runs_print_what_they_would_do(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, line in (
        ("sample", "steps = 50 of T = 500"),
        ("evaluate", "samples = 2048"),
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


def mistake(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail; return its one line of complaint."""
    assert main(argv) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_mistakes_get_one_sentence(run: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    data = ["--data", str(photos), "--size", "8", "--device", "cpu"]
    again = ["train", *data, "--out", str(run.parent)]
    assert "exists: go on with" in mistake(again, capsys)
    assert "is a resnet: run `train resnet" in mistake(
        ["train", "unet", "--preset", "classic-resnet"], capsys
    )
    assert "not a folder" in mistake(["train", "--data", "nowhere"], capsys)
    assert "divisible by 4" in mistake(["train", "--data", str(photos), "--size", "10", "--dry-run"], capsys)
    assert "does not exist" in mistake(["sample", "nothing.safetensors"], capsys)
    assert "no class 7" in mistake(["sample", str(run), "--label", "7"], capsys)
    assert "Cannot take 501 steps" in mistake(["sample", str(run), "--steps", "501"], capsys)
    assert "would be overwritten" in mistake(["export", str(run), "--out", str(run)], capsys)
    assert "cannot be used here" in mistake(["sample", str(run), "--device", "tpu"], capsys)
    other = ["train", "--resume", str(run), "--data", str(photos), "--size", "16"]
    assert "leave out --data and --size" in mistake(other, capsys)


def test_resuming_one_run_into_another_touches_nothing(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    assert train(photos, other, "--steps", "2") == 0
    before = (other / "checkpoint.safetensors").read_bytes()
    capsys.readouterr()
    again = ["train", "--resume", str(run), "--out", str(other), "--steps", "40", "--device", "cpu"]
    assert "is another run's checkpoint and would be overwritten" in mistake(again, capsys)
    assert (other / "checkpoint.safetensors").read_bytes() == before


def test_two_runs_export_into_their_own_folders(run: Path, photos: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(run.parent, tmp_path / name)
        assert main(["export", str(tmp_path / name)]) == 0
        assert (tmp_path / name / "weights.safetensors").is_file()
    assert not (tmp_path / "weights.safetensors").exists()


def test_images_of_other_classes_are_not_measured_under_wrong_names(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "pets")
    (tmp_path / "pets" / "dogs").rename(tmp_path / "pets" / "wolves")
    capsys.readouterr()
    said = mistake(["evaluate", str(run), "--data", str(tmp_path / "pets"), "--device", "cpu"], capsys)
    assert "has the classes cats, wolves, and the network knows cats, dogs" in said


def test_a_distance_below_the_floor_is_within_its_spread() -> None:
    """Real digits that the network might have drawn: all distances on one scale, with what chance adds."""
    train, test = load_data("mnist", train=True), load_data("mnist", train=False).head(500)
    rows = {
        name.strip(): (value, meaning)
        for name, value, meaning in digits(train.x0(slice(256, 512)), None, test)
    }
    distance, floor, above = (
        rows[name] for name in ("Frechet distance", "of real training digits", "above the floor")
    )
    assert above[0] == distance[0] - floor[0]
    spread = float(above[1].rpartition("+- ")[2])
    assert abs(above[0]) < 3 * spread < 3 * distance[0]


def test_weights_that_are_not_finite_draw_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata, tensors = storage.read(run)
    name = next(name for name in tensors if name.startswith("ema."))
    tensors[name].view(-1)[0] = float("nan")
    storage.write(tmp_path / "nan.safetensors", tensors, json.loads(metadata["config"]))
    grid = tmp_path / "grid.png"
    command = ["sample", str(tmp_path / "nan.safetensors"), "--grid", str(grid), "--device", "cpu"]
    assert "The weights are not finite" in mistake(command, capsys)
    assert not grid.exists()


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


def test_a_fault_of_the_program_is_no_mistake_of_the_users(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a fault inside")

    monkeypatch.setattr("ddpm_lib.cli.sample.drawn", broken)
    with pytest.raises(ValueError, match="a fault inside"):
        main(["sample", str(run), "--grid", str(tmp_path / "grid.png"), "--device", "cpu"])


def test_a_finished_run_says_so(run: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(photos, run.parent, "--resume", str(run)) == 0
    assert "finished already" in capsys.readouterr().out


def test_resuming_takes_the_data_and_the_size_from_the_checkpoint(run: Path, photos: Path) -> None:
    assert main(["train", "--resume", str(run.parent), "--steps", "30", "--device", "cpu"]) == 0
    again = load(run)
    assert again.step == 30
    assert again.about.data == str(photos)
    assert again.about.shape == (3, 8, 8)


@pytest.mark.parametrize(
    "argv",
    [
        ["train", "--seconds", "0"],
        ["train", "--steps", "-1"],
        ["sample", "x", "--eta", "nan"],
        ["sample", "x", "--eta", "5"],
        ["sample", "x", "--guidance", "nan"],
        ["sample", "x", "--guidance", "inf"],
        ["sample", "x", "--seed", "-1"],
        ["train", "--seed", str(2**63)],
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_runs(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert f"argument {argv[-2]}: {argv[-1]} is not" in capsys.readouterr().err


def test_what_cannot_be_written_is_refused_before_the_sampling(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert "does not end in .png" in mistake(["sample", str(run), "--grid", str(tmp_path / "x.xyz")], capsys)
    assert "are too few" in mistake(["evaluate", str(run), "--samples", "100"], capsys)
    assert "take 256 or more" in mistake(["evaluate", str(run), "--samples", "255"], capsys)
    assert "Cannot take 9999 steps" in mistake(["evaluate", str(run), "--steps", "9999"], capsys)
    assert "Is a directory" in mistake(["export", str(run), "--out", str(tmp_path)], capsys)


def test_diagnose_prints_a_line_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "cpu-minutes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:3] for line in lines[:-1]] == ["ok "] * (len(lines) - 1)
    assert lines[-2].startswith("ok   walk")
    assert lines[-1].startswith("No fault that is known here.")
