"""A tiny run in a folder of its own, and what a refusal says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import ddpm_lib.cli.watch as watching
from ddpm_lib.__main__ import main
from tests.tiny import pictures, train

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
