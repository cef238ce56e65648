"""The computed cost, against published figures, torch's own allocator, and a ring that is walked through."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lib.models import MLPConfig, ResNetConfig, UNetConfig, build
from ddpm_lib.train import TrainConfig, start
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.machine.cost import (
    COPIES,
    FLOAT,
    TRAINING,
    Cost,
    Device,
    cost,
    plan,
    ring_bytes,
    scale_batch,
    step_seconds,
    training_bytes,
)

SMALL = UNetConfig(channels=3, base=16, mults=(1, 2), blocks=1, attention=(1,), groups=8, scale_shift=True)
BIG = Device("a device", peak=1e14, memory=16e9, link=1e10)


def test_a_convolution_by_hand() -> None:
    config = ResNetConfig()
    model = build(config)
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    by_hand = sum(
        2 * 9**2 * m.weight.numel() for m in convolutions
    )  # every weight multiplies and adds at every pixel
    assert cost(config, 9).flops == by_hand > 0


def test_the_network_of_ho_et_al_has_its_published_size() -> None:
    # Ho et al. 2020, appendix B: 35.7 million parameters for CIFAR-10.
    config = UNetConfig(channels=3, base=128, mults=(1, 2, 2, 2), attention=(1,), heads=1, groups=32)
    assert cost(config, 32).parameters == pytest.approx(35.7e6, rel=2e-3)


def test_the_network_of_nichol_and_dhariwal_has_its_published_operations() -> None:
    # Nichol and Dhariwal 2021: 120 M parameters, 39 billion operations a pass (each a multiplication
    # and an addition).
    config = UNetConfig(
        channels=3, base=128, mults=(1, 2, 3, 4), blocks=3, attention=(2, 3), groups=32, scale_shift=True
    )
    counted = cost(config, 64)
    assert counted.parameters == pytest.approx(120e6, rel=0.02)
    assert counted.flops / 2 == pytest.approx(39e9, rel=0.03)


def test_a_training_step_is_three_forward_passes() -> None:
    model, x, t = build(SMALL), torch.randn(2, 3, 16, 16), torch.ones(2, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        model(x, t).square().mean().backward()
    assert counter.get_total_flops() == pytest.approx(TRAINING * 2 * cost(SMALL, 16).flops, rel=0.01)


@pytest.mark.parametrize(
    "config", [SMALL, replace(SMALL, dropout=0.1, activation="silu"), ResNetConfig(channels=3)]
)
def test_the_activations_are_what_the_allocator_still_holds_after_the_forward_pass(
    config: UNetConfig | ResNetConfig,
) -> None:
    model, x, t = build(config), torch.randn(4, 3, 16, 16), torch.ones(4, dtype=torch.int64)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        loss = model(x, t).square().mean()
    held = sum(event.self_cpu_memory_usage for event in seen.key_averages())
    kept = 4 * cost(config, 16).activations
    assert loss.requires_grad
    # The loss itself is held besides; a fused attention does not keep its weights, which are counted.
    least = 0.93 if isinstance(config, UNetConfig) else 1.0
    assert least * kept <= held <= 1.001 * kept


@pytest.mark.equation("eq-training-memory")
def test_training_holds_five_numbers_a_weight() -> None:
    model = build(SMALL)
    state = start(model, TrainConfig())
    assert isinstance(state.ema, EMA)
    model(torch.randn(2, 3, 16, 16), torch.ones(2, dtype=torch.int64)).square().mean().backward()
    state.optimizer.step()
    held = [*model.parameters(), *state.ema.average.parameters()]
    held += [p.grad for p in model.parameters() if p.grad is not None]
    held += [m for slots in state.optimizer.state.values() for m in slots.values() if m.ndim]
    counted = cost(SMALL, 16)
    assert sum(t.nbytes for t in held) == COPIES * FLOAT * counted.parameters
    assert training_bytes(counted, 0) == COPIES * FLOAT * counted.parameters
    assert training_bytes(counted, 7) - training_bytes(counted, 4) == 3 * counted.activations


@pytest.mark.equation("eq-ring")
@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_a_ring_sends_what_the_formula_says(n: int) -> None:
    size = 64
    data = torch.randn(n, size, dtype=torch.float64)
    chunks = [list(row.chunk(n)) for row in data.clone()]
    sent = [0] * n
    for adding in (True, False):  # first every chunk is summed on its way round, then the sums go round
        for turn in range(n - 1):
            moving = [(r, (r - turn + (0 if adding else 1)) % n, copy.copy(chunks[r])) for r in range(n)]
            for r, c, mine in moving:
                there = chunks[(r + 1) % n]
                there[c] = there[c] + mine[c] if adding else mine[c]
                sent[r] += mine[c].numel() * FLOAT
    for row in chunks:
        assert torch.allclose(torch.cat(row), data.sum(0))
    assert sent == [ring_bytes(size, n)] * n


@pytest.mark.equation("eq-step-time")
def test_traffic_hides_behind_the_backward_pass_until_it_cannot() -> None:
    assert step_seconds(3.0, 0.0) == step_seconds(3.0, 2.0) == 3.0
    assert step_seconds(3.0, 2.5) == pytest.approx(3.5)
    assert step_seconds(0.0, 2.5) == 2.5


def test_a_plan_adds_up() -> None:
    counted = Cost(parameters=10**7, flops=10**10, activations=10**8)
    one = plan(counted, BIG, 1, batch=64, steps=1000, share=0.5, hourly=2.0)
    assert one.step == pytest.approx(3 * 1e10 * 64 / 5e13)
    assert one.hours == pytest.approx(1000 * one.step / 3600)
    assert (one.traffic, one.microbatches, one.price) == (0.0, 1, pytest.approx(2 * one.hours))
    eight = plan(counted, BIG, 8, batch=64, steps=1000, share=0.5, hourly=2.0)
    assert eight.traffic == pytest.approx(2 * 7 / 8 * 4e7 / 1e10)
    assert eight.step == pytest.approx(one.step / 8 + eight.traffic - one.step / 12)  # more than it can hide
    assert eight.price > one.price


def test_images_that_do_not_fit_are_taken_in_microbatches() -> None:
    counted = Cost(parameters=10**6, flops=10**9, activations=10**9)
    big = plan(counted, BIG, 1, batch=100, steps=1, share=0.5, hourly=1)
    assert big.microbatches == 9  # twelve images at a time: 12 GB of the 12.8 that are not left free
    assert big.memory == training_bytes(counted, 12) <= 0.8 * BIG.memory
    with pytest.raises(ValueError, match="Not one image fits: it takes 20"):
        plan(
            replace(counted, activations=2 * 10**10),
            BIG,
            1,
            batch=2,
            steps=1,
            share=0.5,
            hourly=1,
        )


@pytest.mark.parametrize(("batch", "share"), [(63, 0.5), (64, 0.0), (64, 1.5)])
def test_a_plan_that_makes_no_sense(batch: int, share: float) -> None:
    with pytest.raises(ValueError, match="cannot be planned"):
        plan(Cost(1, 1, 1), BIG, 2, batch=batch, steps=1, share=share, hourly=1)


def test_points_have_no_size() -> None:
    with pytest.raises(ValueError, match="An MLP reads points"):
        cost(MLPConfig(), 32)


@pytest.mark.equation("eq-scaled-ema")
def test_a_larger_batch_forgets_as_fast_in_images() -> None:
    batch, lr, ema, steps = scale_batch(64, 1e-3, 0.999, 8000, 4)
    assert (batch, lr, steps) == (256, 2e-3, 2000)
    kept, big = 1.0, 1.0
    for _ in range(4):
        kept *= 0.999  # what four small steps leave of the old average
    big *= ema
    assert big == pytest.approx(kept)
