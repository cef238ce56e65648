"""The same seed is the same run, whatever the layout and the precision."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ddpm_lib.train import Machine
from tests.helpers import close
from tests.short_runs import LABELLED, QUICK, TINY, fresh, run, weights_of
from tests.short_runs import digits as digits


@pytest.mark.parametrize("model_config", [TINY, LABELLED], ids=["plain", "labels-and-dropout"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_the_same_seed_gives_the_same_run_to_the_bit(digits, model_config, channels_last):
    config, machine = QUICK, Machine(channels_last=channels_last)
    first = run(digits, config, model_config, machine=machine)
    model = fresh(model_config)
    torch.manual_seed(1234)  # what else the process draws must not matter
    second = run(digits, config, model=model, machine=machine)
    assert [p.loss for p in first] == [p.loss for p in second]
    assert torch.equal(weights_of(first[-1]), weights_of(second[-1]))
    other = run(digits, replace(config, seed=1), model_config, machine=machine)
    assert [p.loss for p in first] != [p.loss for p in other]


def test_training_leaves_the_global_random_numbers_alone(digits):
    model = fresh(LABELLED)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    run(digits, QUICK, model=model)
    assert torch.equal(torch.rand(3), expected)


def test_dropout_differs_from_step_to_step(digits):
    # Without progress (lr = 0) and on one batch the losses differ by draws of t, eps and dropout alone; the
    # features that are dropped must differ too.
    masks, model = [], fresh(replace(LABELLED, classes=0))
    dropout = next(m for m in model.modules() if isinstance(m, torch.nn.Dropout))
    dropout.register_forward_hook(lambda module, args, out: masks.append(out == 0))
    run(digits, replace(QUICK, steps=3, lr=0.0), model=model.eval())  # train() itself turns dropout on
    share = [float(mask.double().mean()) for mask in masks]
    assert share == pytest.approx([0.2] * 3, abs=0.05)
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[1], masks[2])


def test_channels_last_changes_the_layout_and_not_the_result(digits):
    plain = run(digits, QUICK)
    other = run(digits, QUICK, machine=Machine(channels_last=True))
    close(weights_of(plain[-1]), weights_of(other[-1]), 1e-3)
    weight = other[-1].state.model.first.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_keeps_weights_and_loss_in_float32(digits):
    seen = []
    model = fresh()
    model.first.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    last = run(digits, QUICK, model=model, machine=Machine(precision="bfloat16"))[-1]
    assert set(seen) == {torch.bfloat16}
    assert all(p.dtype == torch.float32 for p in last.state.model.parameters())
    plain = run(digits, QUICK)[-1]
    assert last.loss == pytest.approx(plain.loss, rel=0.05)
    assert last.loss != plain.loss
