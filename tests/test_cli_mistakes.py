"""What a user gets wrong is one sentence, before any work."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ddpm_lib.__main__ import main
from ddpm_lib.cli.evaluate import digits
from ddpm_lib.data import load_data
from ddpm_lib.models import storage
from tests.command_runs import mistake, train
from tests.command_runs import photos as photos
from tests.command_runs import run as run
from tests.command_runs import trained as trained


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


def test_a_fault_of_the_program_is_no_mistake_of_the_users(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a fault inside")

    monkeypatch.setattr("ddpm_lib.cli.sample.drawn", broken)
    with pytest.raises(ValueError, match="a fault inside"):
        main(["sample", str(run), "--grid", str(tmp_path / "grid.png"), "--device", "cpu"])


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
    assert "are too few" in mistake(["evaluate", str(run), "--data", "mnist", "--samples", "100"], capsys)
    assert "take 256 or more" in mistake(
        ["evaluate", str(run), "--data", "mnist", "--samples", "255"], capsys
    )
    assert "Cannot take 9999 steps" in mistake(
        ["evaluate", str(run), "--data", "mnist", "--steps", "9999"], capsys
    )
    assert "Is a directory" in mistake(["export", str(run), "--out", str(tmp_path)], capsys)
