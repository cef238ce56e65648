"""The averaged weights against the sum written by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ddpm_lib.train.ema import EMA
from tests.helpers import close


def test_the_average_follows_its_formula_with_a_smaller_decay_at_the_start():
    torch.manual_seed(0)
    model = nn.Linear(3, 2).double()
    ema, expected = EMA(model, 0.7), copy.deepcopy(model.weight.detach())
    decays = []
    for step in range(40):
        with torch.no_grad():
            model.weight.normal_()
        decay = min(0.7, (1 + step) / (10 + step))
        decays.append(decay)
        expected = decay * expected + (1 - decay) * model.weight.detach()
        ema.update(model, step)
        close(ema.average.weight, expected, 1e-13)
    assert decays[0] == 0.1
    assert decays[20:] == [0.7] * 20


def test_the_average_is_a_frozen_copy_in_eval_mode():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).train()
    ema = EMA(model, 0.9)
    assert not ema.average.training
    assert not any(p.requires_grad for p in ema.average.parameters())
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    before = model[0].weight.clone()
    ema.average[0].weight.zero_()
    assert torch.equal(model[0].weight, before)


def test_an_update_leaves_the_model_alone():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    ema = EMA(nn.Linear(3, 2), 0.9)
    before = copy.deepcopy(model.state_dict())
    ema.update(model, 5)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(p.requires_grad for p in ema.average.parameters())


def test_buffers_are_copied_and_not_averaged():
    model = nn.BatchNorm1d(2)
    ema = EMA(model, 0.9)
    model.running_mean += 3.0
    model.num_batches_tracked += 7
    ema.update(model, 0)
    assert torch.equal(ema.average.running_mean, model.running_mean)
    assert int(ema.average.num_batches_tracked) == 7


def test_decay_0_is_the_model_itself():
    model = nn.Linear(3, 2)
    ema = EMA(nn.Linear(3, 2), 0.0)
    ema.update(model, 100)
    assert torch.equal(ema.average.weight, model.weight)


@pytest.mark.parametrize("decay", [1.0, -0.1, 1.5])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ValueError, match=f"decay is {decay}, but it must be at least 0 and below 1"):
        EMA(nn.Linear(1, 1), decay)
