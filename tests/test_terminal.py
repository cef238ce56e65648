"""Printing ends no work, what is cut short leaves nothing half written, and what is printed can be typed."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from ddpm_lib.__main__ import main
from ddpm_lib.cli.common import typed
from ddpm_lib.cli.terminal import Plain
from ddpm_lib.models import place, storage
from tests.tiny import CPU, pictures, tiny, train

__all__ = ["tiny"]
pytestmark = pytest.mark.usefixtures("tiny")


class Lost:
    """A stream that can no longer be written to."""

    encoding = "utf-8"

    def __init__(self, number: int) -> None:
        self.number = number

    def write(self, text: str) -> None:
        raise OSError(self.number, os.strerror(self.number))

    def flush(self) -> None:
        raise OSError(self.number, os.strerror(self.number))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("terminal") / "photos")


@pytest.fixture
def run(photos: Path, tmp_path: Path) -> Path:
    assert train(photos, tmp_path / "run", "--steps", "2") == 0
    return tmp_path / "run"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(
    "lost", [None, Lost(errno.EPIPE), Lost(errno.ENOSPC)], ids=["closed", "pipe", "full"]
)
def test_a_run_that_cannot_print_is_saved(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stream: str,
    lost: Lost | None,
) -> None:
    """As with `>&-`, `| head -1`, `> /dev/full`, or with a log whose disk is full."""
    monkeypatch.setattr(sys, stream, lost)
    status = train(photos, tmp_path / "run", "--steps", "4")
    full = lost is not None and lost.number == errno.ENOSPC and stream == "stdout"
    assert status == (2 if full else 0)
    assert ("could not all be written (No space left on device)" in capsys.readouterr().err) == full
    assert (tmp_path / "run" / "checkpoint.safetensors").is_file()


def test_after_the_first_error_nothing_is_tried() -> None:
    plain = Plain(Lost(errno.EPIPE), "\n")
    assert plain.write("a\n") == 2
    plain.stream = None
    plain.write("b\n")
    plain.flush()
    assert isinstance(plain.lost, BrokenPipeError)


@pytest.mark.parametrize("asked", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_an_export_that_is_asked_to_end_leaves_nothing(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    if not hasattr(signal, asked):
        pytest.skip(f"there is no {asked} here")
    before = sorted(run.iterdir())

    def save(tensors: Any, path: Path, metadata: Any) -> None:
        path.write_bytes(b"half")
        os.kill(os.getpid(), getattr(signal, asked))

    monkeypatch.setattr(storage, "save_file", save)
    number = getattr(signal, asked)
    handler = signal.getsignal(number)
    if handler is signal.SIG_IGN:  # the tests run under nohup
        signal.signal(number, signal.SIG_DFL)
    try:
        assert main(["export", str(run)]) == 130
    finally:
        signal.signal(number, handler)
    assert "interrupted" in capsys.readouterr().err
    assert sorted(run.iterdir()) == before


def test_a_run_that_finds_room_nowhere_leaves_no_empty_folder(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    def save(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(storage, "save_file", save)
    assert main(["train", "--resume", str(run), "--steps", "4", *CPU]) == 2
    said = capsys.readouterr().err
    assert (
        "could not be written (No space left on device); what was there before is kept: make room, or" in said
    )
    assert "could not be saved anywhere else" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "temporary"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_diffusers_files_are_for_everyone_and_their_full_disk_is_a_sentence(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modeling = pytest.importorskip("diffusers.models.modeling_utils")
    assert main(["export", str(run), "--diffusers"]) == 0
    (weights,) = run.rglob("diffusion_pytorch_model.safetensors")
    assert weights.stat().st_mode & 0o777 == place.usual_mode()
    before = sorted(run.rglob("*"))

    def save(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(modeling.safetensors.torch, "save_file", save)
    capsys.readouterr()
    assert main(["export", str(run), "--diffusers"]) == 2
    assert "diffusers could not be written (No space left on device)" in capsys.readouterr().err
    assert sorted(run.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="another shell")
@pytest.mark.parametrize("name", ["a b/c", "it's", "-run", "$HOME", "a;b", "plain/run"])
def test_a_path_in_a_printed_command_can_be_typed(name: str) -> None:
    (word,) = shlex.split(typed(name))
    assert Path(word) == Path(name)
    assert not word.startswith("-")
    assert typed("plain/run") == "plain/run"


def test_the_printed_commands_hold_such_paths(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my run" / "checkpoint.safetensors"
    assert train(photos, path.parent, "--steps", "2") == 0
    assert f"ddpm_lib sample '{path}' --grid" in capsys.readouterr().out
    assert train(photos, path.parent, "--steps", "2") == 2
    assert f"train --resume '{path}'" in capsys.readouterr().err
