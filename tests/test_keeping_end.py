"""A run that ends early, or finds no memory, keeps its work."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from ddpm_lib import load
from ddpm_lib.__main__ import main
from tests.kept_run import CHECKPOINT, refused
from tests.kept_run import photos as photos
from tests.kept_run import run as run
from tests.tiny import CPU, train
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")


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
    monkeypatch.setattr("ddpm_lib.cli.first_pass.fastest", lambda *_: of_the_gpu())
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
