"""The probe chooses by measured time, and leaves the model alone."""

from __future__ import annotations

import copy

import pytest
import torch

from ddpm_lib import probe
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.train import TrainConfig


def test_the_fastest_choice_is_taken_and_a_small_gain_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def pretend(times: dict[tuple[str, bool], float]) -> TrainConfig:
        monkeypatch.setattr(probe, "_seconds", lambda model, x0, precision, last: times[precision, last])
        return probe.fastest(UNet(UNetConfig(base=8)), torch.zeros(1, 1, 8, 8), TrainConfig(lr=0.5))

    slow = {(p, last): 1.0 for p in ("float32", "bfloat16") for last in (False, True)}
    chosen = pretend(slow | {("bfloat16", True): 0.5})
    assert (chosen.precision, chosen.channels_last, chosen.lr) == ("bfloat16", True, 0.5)
    chosen = pretend(slow | {("bfloat16", True): 0.97})
    assert (chosen.precision, chosen.channels_last) == ("float32", False)


def test_probing_changes_nothing_in_the_model() -> None:
    model = UNet(UNetConfig(base=8, mults=(1, 2), blocks=1, groups=4))
    before = copy.deepcopy(model.state_dict())
    config = probe.fastest(model, torch.randn(4, 1, 8, 8), TrainConfig())
    assert config.precision in ("float32", "bfloat16")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert tensor.stride() == before[name].stride()
    assert all(p.grad is None for p in model.parameters())
