"""Winograd's convolutions in a network: the same answers, the same training, and where they stand back."""

from __future__ import annotations

import copy
import io
import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

from ddpm_lib.data import Batches, ImageData, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, use_winograd, winograd
from ddpm_lib.models.winograd import winograd_conv3x3, winograd_widths
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, TrainConfig, train
from tests.wide_layers import NETWORK, random


@pytest.fixture
def calls(monkeypatch):
    """How often a layer computed by Winograd's algorithm."""
    made = []

    def spy(*args):
        made.append(args)
        return winograd_conv3x3(*args)

    monkeypatch.setattr(winograd, "winograd_conv3x3", spy)
    return made


def test_the_network_computes_the_same_by_either(calls):
    torch.manual_seed(0)
    model = UNet(NETWORK)
    for p in model.parameters():  # the zero layers too
        nn.init.normal_(p, std=0.2)
    other = copy.deepcopy(model)
    use_winograd(other, 1)
    x, t = random(3, 1, 12, 12, dtype=torch.float32), torch.tensor([1, 5, 9])
    ours, theirs = other(x, t), model(x, t)
    assert len(calls) == len(winograd_widths(model)) > 5
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.detach().abs().max()))
    ours.square().mean().backward()
    theirs.square().mean().backward()
    for a, b in zip(other.parameters(), model.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-4 * float(b.grad.abs().max()))


def test_it_stands_back_under_autocast_and_in_a_network_that_is_compiled_or_exported(calls, monkeypatch):
    layer = nn.Conv2d(8, 8, 3, padding=1)
    use_winograd(layer, 8)
    x = random(2, 8, 8, 8, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    with monkeypatch.context() as patch:
        patch.setattr(torch.compiler, "is_compiling", lambda: True)
        layer(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's older exporter, which the course uses
        torch.onnx.export(layer, (x,), io.BytesIO(), dynamo=False)
    assert not calls
    layer(x)
    assert len(calls) == 1


@pytest.fixture(scope="module")
def digits() -> ImageData:
    """As few as a batch."""
    return mnist(train=False).head(16)


SHORT = TrainConfig(steps=12, batch=16, lr=1e-3, every=3)


def losses(digits, machine: Machine) -> tuple[list[float], nn.Module]:
    torch.manual_seed(0)
    model = UNet(NETWORK)
    run = train(model, GaussianDiffusion(linear_schedule(50)), Batches(digits, 16), SHORT, machine=machine)
    *_, last = (progress := list(run))
    return [p.loss for p in progress], last.state.ema.average


def test_training_by_it_is_training(digits, calls):
    machine = Machine(channels_last=True)
    plain, _ = losses(digits, machine)
    assert not calls
    fast, average = losses(digits, replace(machine, winograd=8))
    wide = sum(width >= 8 for width in winograd_widths(average))
    assert len(calls) == 12 * wide
    assert fast == pytest.approx(plain, rel=1e-4)
    assert fast == losses(digits, replace(machine, winograd=8))[0]  # to the bit
    made = len(calls)
    with torch.no_grad():
        average(torch.zeros(1, 1, 28, 28), torch.ones(1, dtype=torch.int64))
    assert len(calls) - made == wide  # samples during the run are drawn by it too
