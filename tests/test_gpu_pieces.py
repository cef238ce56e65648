"""The GPU run, piece by piece: in time, in order, and an error ends its piece alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.gpu import plan as plan_module
from tools.gpu import worker
from tools.gpu.desk import Desk, Piece
from tools.gpu.state import FAILED, State


def _plan(monkeypatch: pytest.MonkeyPatch, *pieces: Piece) -> list[str]:
    done: list[str] = []

    def noted(piece: Piece) -> Piece:
        def do(desk: Desk) -> None:
            piece.do(desk)
            done.append(piece.name)

        return Piece(piece.name, piece.minutes, do)

    monkeypatch.setattr(plan_module, "plan", lambda: [noted(piece) for piece in pieces])
    monkeypatch.setattr(worker, "shrink", lambda: None)
    monkeypatch.setattr(worker.torch.cuda, "is_available", lambda: False)
    return done


def _fails(desk: Desk) -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def test_an_error_ends_its_piece_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, three = Piece("one", 1, lambda desk: None), Piece("three", 1, lambda desk: None)
    done = _plan(monkeypatch, one, Piece("two", 1, _fails), three)
    assert worker.work(tmp_path, 60, True, None) == FAILED  # and the next process goes on
    assert worker.work(tmp_path, 60, True, None) == 0
    assert done == ["one", "three"]
    state = State(tmp_path)
    assert list(state.done) == ["one", "three"]
    assert "illegal memory access" in state.failed["two"]
    assert any(line.startswith("FAILED: two: ") for line in state.summary())


def test_a_piece_that_no_longer_fits_is_left_out_and_a_shorter_one_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = _plan(monkeypatch, Piece("long", 5, lambda desk: None), Piece("short", 0.5, lambda desk: None))
    monkeypatch.setattr(worker.torch.cuda, "is_available", lambda: True)  # on a GPU, costs count
    monkeypatch.setattr(worker.torch.cuda, "get_device_name", lambda: "a GPU")
    assert worker.work(tmp_path, 120, False, None) == 0
    assert done == ["short"]
    assert "left out: long: it takes 5.0 min and 2.0 are left" in capsys.readouterr().out


def test_a_missing_library_is_named_in_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(desk: Desk) -> None:
        raise worker.NotInstalled("not measured: diffusers is not installed")

    _plan(monkeypatch, Piece("peers", 1, lacks))
    assert worker.work(tmp_path, 60, True, None) == 0
    assert State(tmp_path).not_measured == {"peers": "not measured: diffusers is not installed"}
    assert State(tmp_path).done == {}


def test_without_a_gpu_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _plan(monkeypatch)
    assert worker.work(tmp_path, 60, False, None) == 2
    assert "rehearse with --tiny" in capsys.readouterr().out
