"""Mistakes with several processes are told once, in a sentence."""

from __future__ import annotations

import sys

import pytest
import torch

from ddpm_lib.__main__ import main
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Batch, Machine, TrainConfig, TrainingError, train
from ddpm_lib.train.machine.processes import LaunchError, Processes, accelerated, launched


@pytest.mark.parametrize(("batch", "world", "accumulate"), [(64, 3, 1), (64, 2, 3), (5, 1, 2), (4, 1, 0)])
def test_a_batch_that_cannot_be_shared_is_refused(batch: int, world: int, accumulate: int) -> None:
    processes = Processes()
    processes.world = world
    config, machine = TrainConfig(batch=batch), Machine(accumulate=accumulate)
    multiple = max(world * accumulate, 1)
    diffusion = GaussianDiffusion(linear_schedule(50))

    def points(step: int) -> Batch:
        return torch.zeros(batch, 2), None

    with pytest.raises(TrainingError, match=f"batch of {batch} cannot be cut .* a multiple of {multiple}"):
        next(train(MLP(MLPConfig(width=8)), diffusion, points, config, machine=machine, processes=processes))


def test_one_process_needs_no_accelerate_and_several_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(LaunchError, match="pip install accelerate"):
        accelerated()
    assert not launched()


def as_launched(monkeypatch: pytest.MonkeyPatch, rank: int = 0) -> None:
    for name, value in (("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", 2), ("LOCAL_WORLD_SIZE", 2)):
        monkeypatch.setenv(name, str(value))


def test_more_processes_than_gpus_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    as_launched(monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert main(["train", "--dry-run"]) == 2
    assert "2 processes were launched on this machine, which has 1 GPU(s)" in capsys.readouterr().err


@pytest.mark.parametrize(("rank", "said"), [(0, 1), (1, 0)])
def test_a_mistake_that_all_processes_make_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rank: int, said: int
) -> None:
    as_launched(monkeypatch, rank)
    assert main(["train", "--device", "cuda:1"]) == 2
    assert capsys.readouterr().err.count("Every process takes a device of its own") == said
