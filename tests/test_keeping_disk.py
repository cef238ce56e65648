"""Writing that fails: a place that cannot be written, a full disk, a folder that goes away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.data.stream import index
from ddpm_lib.models import place, storage
from tests.kept_run import CHECKPOINT, files, refused
from tests.kept_run import at_first_progress as at_first_progress
from tests.kept_run import photos as photos
from tests.kept_run import run as run
from tests.tiny import CPU
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")

COMMANDS = {
    "train": ["train", "--out", "PLACE"],
    "resume": ["train", "--resume", "RUN", "--steps", "9", "--out", "PLACE"],
    "sample": ["sample", "RUN", "--grid", "PLACE/x.png"],
    "evaluate": ["evaluate", "RUN", "--json", "PLACE/x.json"],
    "export": ["export", "RUN", "--out", "PLACE/x"],
    "web": ["export", "RUN", "--web", "--out", "PLACE/x"],
    "onnx": ["export", "RUN", "--onnx", "--out", "PLACE/x"],
    "diffusers": ["export", "RUN", "--diffusers", "--out", "PLACE/x"],
    "shard": ["shard", "PHOTOS", "PLACE/x"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_cannot_be_written_is_refused_before_work(
    run: Path, photos: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.parent / "file").write_text("no folder")
    real = place._try

    def read_only(folder: Path) -> None:
        if folder == run.parent / "read-only":
            raise OSError(30, "Read-only file system")
        real(folder)

    (run.parent / "read-only").mkdir()
    monkeypatch.setattr(place, "_try", read_only)
    for work in ("job.open_images", "sample.drawn", "evaluate.draw", "shard.write_shards"):
        monkeypatch.setattr(f"ddpm_lib.cli.{work}", lambda *_, **__: pytest.fail("work began"))
    before = files(run.parent)
    for where, why in (
        ("file", "Not a directory"),
        ("file/deep", "Not a directory"),
        ("read-only", "Read-only"),
    ):
        words = {"PLACE": str(run.parent / where), "RUN": str(run), "PHOTOS": str(photos)}
        argv = [
            word.replace("PLACE", words["PLACE"]) if "PLACE" in word else words.get(word, word)
            for word in COMMANDS[command]
        ]
        said = refused([*argv, *([] if argv[0] in ("export", "shard") else CPU)], capsys)
        assert f"could not be written ({why}" in said
        assert "choose another place, such as " in said
    assert files(run.parent) == before


@pytest.mark.parametrize("command", ["sample", "evaluate", "export", "web", "onnx"])
def test_a_folder_in_the_place_of_a_file(run: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [word.replace("PLACE", "here").replace("RUN", str(run)) for word in COMMANDS[command]]
    Path(argv[-1]).mkdir(parents=True)
    assert "Is a directory" in refused([*argv, *([] if argv[0] == "export" else CPU)], capsys)
    assert list(Path(argv[-1]).iterdir()) == []


def full_below(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Half of a checkpoint fits into `folder`, and no more."""
    real = storage.save_file

    def save(tensors: Any, path: Path, metadata: Any) -> None:
        if folder in path.parents:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        real(tensors, path, metadata)

    monkeypatch.setattr(storage, "save_file", save)


def test_a_disk_that_fills_up_does_not_cost_the_run(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / CHECKPOINT).read_bytes()
    full_below(monkeypatch, run)
    said = refused(["train", "--resume", str(run), "--steps", "8", "--save-every", "0.001", *CPU], capsys)
    assert "No space left on device); what was there before is kept" in said
    (saved,) = Path.cwd().glob(f"ddpm-run-*/{CHECKPOINT}")
    assert f"go on with `train --resume {saved}`" in said
    assert load(saved).step == 8
    assert (run / CHECKPOINT).read_bytes() == before
    assert sorted(path.name for path in run.iterdir()) == [CHECKPOINT, "loss.csv"]


def test_a_folder_that_goes_away_is_made_again(run: Path, at_first_progress: list[Any]) -> None:
    at_first_progress.append(lambda: shutil.rmtree(run))
    assert main(["train", "--resume", str(run), "--steps", "8", *CPU]) == 0
    assert load(run / CHECKPOINT).step == 8


def test_a_log_that_cannot_be_written_waits(
    run: Path, at_first_progress: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    log = run / "loss.csv"
    at_first_progress.append(lambda: (log.unlink(), log.mkdir()))
    assert main(["train", "--resume", str(run), "--steps", "8", *CPU]) == 0
    assert "loss.csv could not be written (Is a directory): its rows wait" in capsys.readouterr().err
    assert load(run / CHECKPOINT).step == 8


@pytest.mark.parametrize("command", ["sample", "web", "diffusers", "onnx"])
def test_writing_that_fails_keeps_the_old_file(
    run: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The very last act fails: the move into place."""
    kinds = {"sample": ("x.png", []), "web": ("model.js", ["--web"])}
    name, form = kinds.get(command, ("model.onnx" if command == "onnx" else "diffusers", [f"--{command}"]))
    if command in ("onnx", "diffusers"):
        pytest.importorskip(command)
    argv = ["export", str(run), *form]
    if command == "sample":
        argv = ["sample", str(run), "--grid", str(run / name), "--count", "1", "--steps", "1", *CPU]
    elif command == "diffusers":
        (run / name).mkdir()
        (run / name / "model_index.json").write_text("older")
    if command != "diffusers":
        (run / name).write_bytes(b"older")
    before = files(run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert "could not be written (No space left on device)" in refused(argv, capsys)
    assert files(run) == before
    assert sorted(p.name for p in run.iterdir()) == sorted({p.relative_to(run).parts[0] for p in before})


def test_shards_that_find_no_room_leave_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    webdataset = pytest.importorskip("webdataset")
    argv = ["shard", str(photos), str(tmp_path / "shards"), "--each", "5"]
    real, written = webdataset.TarWriter.write, list[Any]()

    def full(self: Any, sample: Any) -> None:
        if len(written) == 7:
            raise OSError(28, "No space left on device")
        written.append(real(self, sample))

    with monkeypatch.context() as patch:
        patch.setattr(webdataset.TarWriter, "write", full)
        said = refused(argv, capsys)
    assert f"{tmp_path / 'shards'} could not be written (No space left on device)" in said
    assert list(tmp_path.iterdir()) == []
    assert main(argv) == 0
    monkeypatch.setattr(index, "write_index", read_only_disk)
    (tmp_path / "shards" / "index.json").unlink()
    training = ["train", "--data", str(tmp_path / "shards"), "--out", str(tmp_path / "run"), "--steps", "2"]
    assert main([*training, "--batch", "4", *CPU]) == 0
    assert "keeps no index.json (Read-only file system): its shards are counted at" in capsys.readouterr().err


def read_only_disk(*_: object) -> None:
    raise OSError(30, "Read-only file system")


def test_cannot_be_read_is_not_does_not_exist(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    assert "does not exist" in refused(["sample", str(run / "other" / CHECKPOINT)], capsys)
    (run / "folder.safetensors" / CHECKPOINT).mkdir(parents=True)
    assert "is no file" in refused(["sample", str(run / "folder.safetensors")], capsys)
    os.mkfifo(run / "pipe.safetensors")
    assert "is no file" in refused(["sample", str(run / "pipe.safetensors")], capsys)
    monkeypatch.setattr(Path, "open", denied)
    assert "cannot be read (Permission denied)" in refused(["sample", str(run)], capsys)
