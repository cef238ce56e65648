"""The probe chooses by measured time, and leaves the model alone."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.train import Machine
from ddpm_lib.train.machine import probe

NARROW = UNetConfig(base=8, mults=(1, 2), blocks=1, groups=4)
WIDE = UNetConfig(base=32, mults=(1, 2), blocks=1, groups=4)
BOTH = [("float32", False, 0), ("float32", True, 0), ("bfloat16", False, 0), ("bfloat16", True, 0)]


def test_the_fastest_choice_is_taken_and_a_small_gain_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_emulated", lambda: False)

    def pretend(times: dict[probe.Choice, float]) -> probe.Choice:
        monkeypatch.setattr(
            probe, "_seconds", lambda model, x0, choices: {c: times.get(c, 1.0) for c in choices}
        )
        config = probe.fastest(UNet(WIDE), torch.zeros(1, 1, 8, 8), Machine(compile=True))
        assert config.compile
        return config.precision, config.channels_last, config.winograd

    assert pretend({("bfloat16", True, 0): 0.5}) == ("bfloat16", True, 0)
    assert pretend({("bfloat16", True, 0): 0.97}) == ("float32", False, 0)
    assert pretend({("float32", True, 64): 0.4, ("bfloat16", True, 0): 0.5}) == ("float32", True, 64)


def test_winograd_is_tried_where_there_are_wide_layers_each_set_of_them_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "_emulated", lambda: False)
    cpu = torch.device("cpu")
    assert probe._choices(UNet(NARROW), cpu) == BOTH
    assert probe._choices(UNet(WIDE), cpu) == [*BOTH, ("float32", True, 32), ("float32", True, 64)]
    all_wide = UNetConfig(base=64, mults=(1,), blocks=1)
    assert probe._choices(UNet(all_wide), cpu) == [*BOTH, ("float32", True, 64)]
    assert probe._choices(UNet(WIDE), torch.device("mps")) == BOTH[:2]  # not on an accelerator


def test_bfloat16_is_not_tried_where_one_convolution_shows_that_it_is_emulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "_least", lambda do: 5.0 if do().dtype == torch.bfloat16 else 1.0)
    assert probe._choices(UNet(NARROW), torch.device("cpu")) == BOTH[:2]
    monkeypatch.setattr(probe, "_least", lambda do: 1.5 if do().dtype == torch.bfloat16 else 1.0)
    assert probe._choices(UNet(NARROW), torch.device("cpu")) == BOTH


def test_a_choice_s_time_is_its_shortest_pass_and_a_slow_network_sees_fewer_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[probe.Choice, int]] = []

    def passing(model: UNet, x0: torch.Tensor, choice: probe.Choice) -> object:
        return lambda: seen.append((choice, len(x0)))

    ticks = iter(
        [1.5, *[9.0, 9.0], *[3.0, 2.0], *[1.0, 4.0], *[5.0, 5.0]]
    )  # one image, to warm up, three rounds
    monkeypatch.setattr(probe, "_passing", passing)
    monkeypatch.setattr(probe, "_timed", lambda do: (do(), next(ticks))[1])
    times = probe._seconds(UNet(NARROW), torch.zeros(32, 1, 8, 8), BOTH[:2])
    assert times == {BOTH[0]: 1.0, BOTH[1]: 2.0}
    assert (
        seen[:2] == [(probe.PLAIN, 1)] * 2
    )  # the first is not timed: it would say that every network is slow
    assert {images for _, images in seen[2:]} == {2}  # 4 seconds a pass are enough


def test_probing_changes_nothing_in_the_model() -> None:
    model = UNet(replace(WIDE, heads=1))
    before = copy.deepcopy(model.state_dict())
    config = probe.fastest(model, torch.randn(4, 1, 8, 8), Machine())
    assert config.precision in ("float32", "bfloat16")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert tensor.stride() == before[name].stride()
    assert all(p.grad is None for p in model.parameters())
