"""Guidance around a network: within an interval of times, with labels, in the sampler."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last
from ddpm_lib.guidance import Guided
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import linear_schedule
from tests.class_oracle import ORACLE, XT, Y, at, network
from tests.helpers import close


class Counting:
    """The oracle, and how many rows it was asked for."""

    predicts = "eps"

    def __init__(self):
        self.rows = 0

    def __call__(self, xt, t, y=None):
        self.rows += len(xt)
        return ORACLE(xt, t, y)


def test_in_an_interval_guidance_acts_inside_and_costs_nothing_outside():
    plain, full = ORACLE(XT, at(50), Y), Guided(ORACLE, 2.0, 2)(XT, at(50), Y)
    assert float((plain - full).abs().max()) > 0.01
    for low, high, rows in ((50, 100, 40), (0, 49, 40), (49, 50, 80), (0, 200, 80)):
        counting = Counting()
        found = Guided(counting, 2.0, 2, interval=(low, high))(XT, at(50), Y)
        close(found, full if low < 50 <= high else plain, 1e-14)
        assert counting.rows == rows
    mixed = torch.tensor([50, 120] * 20)  # each row by its own time
    found = Guided(ORACLE, 2.0, 2, interval=(40, 60))(XT, mixed, Y)
    close(found[::2], full[::2], 1e-14)
    close(found[1::2], ORACLE(XT, at(120), Y)[1::2], 1e-14)


def test_guidance_predicts_what_its_network_predicts_and_wants_labels():
    guided = Guided(UNet(UNetConfig(base=8, mults=(1,), heads=1, classes=3, predicts="v")), 1.0, null=3)
    assert guided.predicts == "v"
    with pytest.raises(ValueError, match="Guidance steers towards a class: pass y"):
        guided(torch.zeros(1, 1, 8, 8), torch.tensor([1]))


def test_a_guided_network_samples():
    net, diffusion = network(), GaussianDiffusion(linear_schedule(50))
    run = partial(sample, diffusion=diffusion, shape=(1, 8, 8), seeds=[0, 1], y=torch.tensor([1, 2]), steps=3)
    plain = last(run(net)).xt
    close(last(run(Guided(net, 0.0, null=3))).xt, plain, 1e-4)
    assert not torch.allclose(last(run(Guided(net, 2.0, null=3))).xt, plain, atol=1e-3)
