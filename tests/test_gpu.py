"""The plan for a GPU machine: complete, stopped and resumed, and never claimed done when a piece failed."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from ddpm_lib.train.presets import PRESETS
from tools import gpu
from tools.gpu import PLANS, Piece, do, done, pieces


def test_every_piece_is_a_command_that_parses(tmp_path: Path) -> None:
    from ddpm_lib.__main__ import parser

    names = [piece.name for piece in pieces("cpu", tmp_path, tiny=True)]
    assert len(names) == len(set(names))
    for plan in PLANS:
        assert plan.preset in PRESETS
        assert names.index(f"train {plan.name}") < names.index(f"ship {plan.name}")
    for piece in pieces("cuda-less", tmp_path, tiny=False):
        if piece.training:
            parser().parse_args(piece.command[1:])


def script(folder: Path, text: str) -> Piece:
    (folder / "piece.py").write_text(text)
    return Piece("a piece", ["runpy_of_a_test"])


@pytest.fixture
def as_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`python -m runpy_of_a_test` runs tmp_path/piece.py."""
    (tmp_path / "runpy_of_a_test.py").write_text("import runpy; runpy.run_path('piece.py')")
    monkeypatch.setattr(gpu, "ROOT", tmp_path)


@pytest.mark.usefixtures("as_python")
def test_a_piece_that_ends_is_marked_with_its_seconds(tmp_path: Path) -> None:
    assert do(script(tmp_path, "print('hello')"), tmp_path, 60)
    assert list(done(tmp_path)) == ["a piece"]


@pytest.mark.usefixtures("as_python")
def test_a_piece_that_fails_ends_the_plan(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="'a piece' failed with status 3"):
        do(script(tmp_path, "raise SystemExit(3)"), tmp_path, 60)
    assert done(tmp_path) == {}


@pytest.mark.usefixtures("as_python")
@pytest.mark.parametrize("ours", [signal.SIG_IGN, signal.default_int_handler])
def test_a_piece_that_takes_too_long_is_interrupted_gently(
    tmp_path: Path, ours: Any, request: pytest.FixtureRequest
) -> None:
    before = signal.signal(signal.SIGINT, ours)  # ignored, as after `make gpu &`, or not
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    gentle = (
        "import pathlib, time\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    pathlib.Path('saved').touch()\n"
    )
    assert not do(script(tmp_path, gentle), tmp_path, 5)
    assert (tmp_path / "saved").is_file()
    assert done(tmp_path) == {}


@pytest.mark.usefixtures("as_python")
def test_a_run_that_left_a_checkpoint_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "checkpoint.safetensors").touch()
    seen: list[list[str]] = []

    class Recorded:
        def __init__(self, command: list[str], **_: Any) -> None:
            seen.append(command)

        def wait(self, timeout: float | None = None) -> int:
            return 0

    monkeypatch.setattr(gpu.subprocess, "Popen", Recorded)
    do(Piece("train unet", ["ddpm_lib", "train", "unet", "--device", "cuda"], training=True), tmp_path, 60)
    assert seen == [
        [sys.executable, "-m", "ddpm_lib", "train", "--resume", str(tmp_path / "unet" / "checkpoint.safetensors"),
         "--device", "cuda"]
    ]  # fmt: skip


def test_without_a_gpu_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu"])
    assert gpu.main() == 2
    assert "rehearse with --tiny" in capsys.readouterr().out
