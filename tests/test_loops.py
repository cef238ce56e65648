"""The command line takes the graphed loop on one GPU alone, where a trial says so, and its runs go on from files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.cli import loops
from ddpm_lib.train import Machine, train
from ddpm_lib.train.machine import quickest as trials
from ddpm_lib.train.machine.graph import train_graphed
from ddpm_lib.train.machine.processes import Processes


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small pictures in two classes."""
    folder, rng = tmp_path_factory.mktemp("loops") / "photos", np.random.default_rng(0)
    for i in range(8):
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "ab"[i % 2] / f"{i}.png")
    return folder


def run(photos: Path, out: Path, steps: int) -> int:
    what = ["train", "unet", "--data", str(photos), "--size", "8", "--batch", "4", "--steps", str(steps)]
    return main([*what, "--out", str(out), "--precision", "float32", "--device", "cpu", "--flip"])


def weights(out: Path) -> torch.Tensor:
    tensors = load(out / "checkpoint.safetensors").tensors
    return torch.cat([t.flatten() for name, t in tensors.items() if name.startswith(("model.", "ema."))])


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A CPU stands for the GPU: the graphed loop, which records nothing, wins the trial. Notes what was tried."""
    tried: list[str] = []

    def quickest(make: Any, *rest: Any, **more: Any) -> Any:
        tried.append(type(make()).__name__)
        return make, partial(train_graphed, record=False)

    monkeypatch.setattr(loops, "_graphable", lambda processes, machine: True)
    monkeypatch.setattr(loops, "WORTH", 1)
    monkeypatch.setattr(loops, "quickest", quickest)
    return tried


def test_a_graphed_run_takes_the_same_steps(
    photos: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert run(photos, tmp_path / "plain", 12) == 0
    tried = request.getfixturevalue("as_on_a_gpu")
    assert run(photos, tmp_path / "graphed", 12) == 0
    assert tried == ["UNet"]
    assert (weights(tmp_path / "graphed") - weights(tmp_path / "plain")).abs().max() < 1e-5


def test_it_goes_on_from_its_file_graphed_or_not(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_on_a_gpu: list[str]
) -> None:
    assert run(photos, tmp_path / "straight", 12) == 0
    for name in ("graphed", "plain"):
        stopped = iter([False] * 6 + [True] * 100)  # after six steps
        with monkeypatch.context() as patch:
            patch.setattr("ddpm_lib.cli.train.stop_on_interrupt", partial(_Stops, stopped))
            assert run(photos, tmp_path / name, 12) == 0
        path = tmp_path / name / "checkpoint.safetensors"
        assert 0 < load(path).step < 12
        if name == "plain":
            monkeypatch.setattr(loops, "_graphable", lambda processes, machine: False)
        assert main(["train", "--resume", str(path), "--device", "cpu"]) == 0
        assert load(path).step == 12
        assert (weights(tmp_path / name) - weights(tmp_path / "straight")).abs().max() < 1e-5


class _Stops:
    """stop_on_interrupt, answered by a list."""

    def __init__(self, answers: Any, main: bool) -> None:
        self.answers = answers

    def __enter__(self) -> Any:
        return lambda: next(self.answers)

    def __exit__(self, *_: object) -> None:
        return None


def test_where_a_graph_fails_the_plain_loop_is_taken_and_it_is_said(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loops, "_graphable", lambda processes, machine: True)
    monkeypatch.setattr(loops, "WORTH", 1)
    monkeypatch.setattr(trials, "CHECKED", 2)
    monkeypatch.setattr(trials, "TIMED", 1)
    assert run(photos, tmp_path / "run", 6) == 0  # a CPU can record no graph
    said = capsys.readouterr().out
    assert "a plain step takes" in said
    assert "a graphed step fails (" in said
    assert load(tmp_path / "run" / "checkpoint.safetensors").step == 6


@pytest.mark.parametrize(
    ("device", "world", "machine", "graphable"),
    [
        ("cuda", 1, Machine(), True),
        ("cpu", 1, Machine(), False),
        ("mps", 1, Machine(), False),
        ("cuda", 2, Machine(), False),
        ("cuda", 1, Machine(accumulate=2), False),
        ("cuda", 1, Machine(compile=True), False),
    ],
)
def test_one_process_on_cuda_that_takes_a_batch_at_once_is_tried(
    device: str, world: int, machine: Machine, graphable: bool
) -> None:
    processes = Processes(device)
    processes.world = world
    assert loops._graphable(processes, machine) is graphable


def test_a_short_run_is_not_worth_a_trial(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_on_a_gpu: list[str]
) -> None:
    monkeypatch.setattr(loops, "WORTH", 7)
    assert run(photos, tmp_path / "run", 6) == 0
    assert not as_on_a_gpu
    assert loops.train is train
