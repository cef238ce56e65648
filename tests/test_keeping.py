"""No work is lost and no file is overwritten: two runs, a full disk, a folder that goes away, a wrong place."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import ddpm_lib.cli.watch as watching
from ddpm_lib import CourseError, load
from ddpm_lib.__main__ import main
from ddpm_lib.cli import lock
from ddpm_lib.cli.lock import locked
from ddpm_lib.data.stream import index
from ddpm_lib.models import place, storage
from tests.tiny import CPU, pictures, tiny, train

__all__ = ["tiny"]
pytestmark = pytest.mark.usefixtures("tiny")
CHECKPOINT = "checkpoint.safetensors"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("keeping") / "photos")


@pytest.fixture
def run(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run of four steps; the current folder is an empty one."""
    kept = photos.parent / "run"
    if not kept.exists():
        assert train(photos, kept, "--steps", "4") == 0
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return shutil.copytree(kept, tmp_path / "run")


def files(*folders: Path) -> dict[Path, bytes]:
    """The bytes of every file in these folders."""
    return {path: path.read_bytes() for each in folders for path in each.rglob("*") if path.is_file()}


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Status 2 and one sentence, which is returned."""
    capsys.readouterr()
    assert main(argv) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ddpm_lib ")]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def at_first_progress(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Functions put into this list are called at a run's first Progress."""
    todo: list[Any] = []
    real = watching.describe

    def describe(p: Any) -> str:
        while todo:
            todo.pop()()
        return real(p)

    monkeypatch.setattr(watching, "describe", describe)
    return todo


# -- another's file is never touched -------------------------------------------------------------------------


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


# -- writing that fails --------------------------------------------------------------------------------------


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
    for work in ("train.open_images", "sample.drawn", "evaluate.draw", "shard.write_shards"):
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


# -- a run that ends early -----------------------------------------------------------------------------------


def test_an_interrupt_in_the_first_steps_saves_what_there_is(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signal comes in the first step; no Progress is due before the tenth."""
    import ddpm_lib.train.loop as loop

    real = loop.draw_t
    monkeypatch.setattr(loop, "draw_t", lambda *a: (signal.raise_signal(signal.SIGTERM), real(*a))[1])
    assert train(photos, tmp_path / "run", "--steps", "1000") == 0
    assert "Stopped after 1 steps" in capsys.readouterr().out
    assert load(tmp_path / "run").step == 1


def test_training_in_a_thread_of_a_notebook(photos: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(train, photos, tmp_path / "run", "--steps", "2").result() == 0


def test_images_that_go_away_end_the_run_and_save_it(
    run: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ddpm_lib.data import Batches, DataError

    real = Batches.__call__

    def gone(self: Batches, step: int) -> Any:
        if step == 7:
            raise DataError("The disk with the images is gone.")
        return real(self, step)

    monkeypatch.setattr(Batches, "__call__", gone)
    said = refused(["train", "--resume", str(run), "--steps", "12", *CPU], capsys)
    assert "images is gone. The run was saved after 7 steps" in said
    monkeypatch.undo()
    assert load(run).step == 7


# -- memory --------------------------------------------------------------------------------------------------


def of_the_cpu() -> None:
    torch.empty(2**50)


def of_the_gpu() -> None:
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of ..."
    )


def of_python() -> None:
    bytearray(2**60)


def of_a_library() -> None:
    raise RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")


@pytest.mark.parametrize(
    ("end", "asked"),
    [(of_the_cpu, "4503599627370496 bytes"), (of_the_gpu, "2.00 GiB"), (of_python, ""), (of_a_library, "")],
)
def test_memory_that_runs_out_is_a_sentence_and_keeps_what_was_saved(
    run: Path, end: Any, asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import ddpm_lib.train.loop as loop
    from ddpm_lib.cli import sample

    real, before = loop.draw_t, (run / CHECKPOINT).read_bytes()
    monkeypatch.setattr(loop, "draw_t", lambda *a: (end(), real(*a))[1])
    said = refused(["train", "--resume", str(run), "--steps", "8", *CPU], capsys)
    assert "Memory ran out on cpu, for batches of 4 images of (3, 8, 8)" in said
    assert f"(another {asked} was asked for)" in said if asked else "another" not in said
    assert (
        "pass --accumulate 2 for the same step in less memory, or a --batch below 4. Go on from the last"
        in said
    )
    assert (run / CHECKPOINT).read_bytes() == before
    monkeypatch.setattr(sample, "drawn", lambda *_, **__: end())
    assert "pass a smaller --batch, which" in refused(["sample", str(run), *CPU], capsys)
    assert not Path("samples.png").exists()


def test_memory_that_runs_out_before_the_first_save(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ddpm_lib.cli.train.fastest", lambda *_: of_the_gpu())
    argv = ["train", "--data", str(photos), "--size", "8", "--batch", "6", "--accumulate", "2", *CPU]
    said = refused(argv, capsys)
    assert (
        "pass --accumulate 3 for the same step in less memory, or a --batch below 6, or a --size below 8."
        in said
    )
    assert list(tmp_path.iterdir()) == []


def test_another_runtime_error_is_no_lack_of_memory(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr("ddpm_lib.cli.sample.drawn", fault)
    with pytest.raises(RuntimeError, match="a fault"):
        main(["sample", str(run), *CPU])
