"""What a piece of the GPU run does when a network is lost, or is not there."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ddpm_lib.assets import weights
from ddpm_lib.models.trained import load_trained
from ddpm_lib.train import TrainConfig, TrainingError
from ddpm_lib.train.presets import PRESETS
from tools.gpu import networks
from tools.gpu.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A rehearsal's, with a minute."""
    return Desk(tmp_path, "cpu", "a CPU", True, time.monotonic() + 60)


def test_a_lost_network_begins_again_at_half_the_rate(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = PRESETS["classic-resnet"]
    short = replace(preset.train, steps=2, batch=2)
    monkeypatch.setitem(PRESETS, "classic-resnet", replace(preset, train=short))
    rates: list[float] = []
    honest = networks.train_on

    def first_lost(model: Any, diffusion: Any, config: TrainConfig, *rest: Any, **more: Any) -> Any:
        rates.append(config.lr)
        if len(rates) == 1:
            raise TrainingError("The loss of step 139 is nan: lower the learning rate.")
        return honest(model, diffusion, config, *rest, **more)

    monkeypatch.setattr(networks, "train_on", first_lost)
    networks.train(desk, "classic-resnet", "classic-resnet", "ladder")
    assert rates == [short.lr, short.lr / 2]
    assert "step 139 is nan: lower the learning rate. It begins again at half" in capsys.readouterr().out
    trained = load_trained(*weights.files("classic-resnet", desk.work / "ladder"))
    assert trained.training["lr"] == short.lr / 2  # what the card will say
    assert trained.step == 2


def test_a_network_that_is_lost_twice_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*args: Any, **more: Any) -> Any:
        raise TrainingError("The loss of step 7 is nan.")

    monkeypatch.setattr(networks, "train_on", lost)
    with pytest.raises(TrainingError, match="step 7"):
        networks.train(desk, "classic-resnet", "classic-resnet", "ladder")


def test_a_rung_that_is_trained_nowhere_has_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    table = desk.measured("ladder.json")
    table.parent.mkdir()

    def measured_nothing(argv: list[str]) -> int:
        table.write_text('{"rows": [{"rung": "black paper"}]}')
        return 0

    monkeypatch.setattr(networks.ladder, "main", measured_nothing)
    with pytest.raises(RuntimeError, match="classic-unet is not trained yet"):
        networks.rung(desk, "classic-unet")
