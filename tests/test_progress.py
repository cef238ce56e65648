"""What a run tells: progress, speed, time left, and how it stops."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from ddpm_lib.data import Batches
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import TrainConfig, TrainingError, lr_factor, start, train
from tests.short_runs import DIFFUSION, QUICK, fresh, run, weights_of
from tests.short_runs import digits as digits


def test_progress_comes_every_k_steps_and_at_the_end_with_the_mean_loss(digits):
    single = run(digits, replace(QUICK, steps=7))
    grouped = run(digits, replace(QUICK, steps=7, every=3))
    assert [p.step for p in single] == [1, 2, 3, 4, 5, 6, 7]
    assert [p.step for p in grouped] == [3, 6, 7]
    losses = [p.loss for p in single]
    for progress, part in zip(grouped, (losses[:3], losses[3:6], losses[6:]), strict=True):
        assert progress.loss == pytest.approx(sum(part) / len(part), rel=1e-6)
    assert [p.share for p in grouped] == pytest.approx([3 / 7, 6 / 7, 1])
    assert grouped[-1].seconds_left == 0
    assert all(a.seconds < b.seconds for a, b in pairwise(grouped))


class Clock:
    """A clock that the test turns, in place of time.perf_counter."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("ddpm_lib.train.progress.time.perf_counter", lambda: self.now)


def test_speed_and_time_left_are_those_of_the_clock_and_the_readers_time_does_not_count(digits, monkeypatch):
    clock, batches = Clock(monkeypatch), Batches(digits, 4)

    def slow(step):
        clock.now += 0.5  # each step takes half a second
        return batches(step)

    config = replace(QUICK, steps=10, every=2)
    for progress in train(fresh(), DIFFUSION, slow, config):
        assert progress.seconds == pytest.approx(0.5 * progress.step)
        assert progress.images_per_second == pytest.approx(4 / 0.5)
        assert progress.seconds_left == pytest.approx(0.5 * (10 - progress.step))
        clock.now += 1000  # the reader looks at samples


def test_a_budget_of_seconds_stops_the_run_and_the_learning_rate_follows_the_clock(digits, monkeypatch):
    clock, batches = Clock(monkeypatch), Batches(digits, 4)

    def slow(step):
        clock.now += 1.0
        return batches(step)

    config = replace(QUICK, steps=1000, seconds=5.0, warmup=0.0)
    progress = list(train(fresh(), DIFFUSION, slow, config))
    assert [p.step for p in progress] == [1, 2, 3, 4, 5]
    assert progress[-1].share == 1
    expected = [config.lr * 0.5 * (1 + math.cos(math.pi * s / 5)) for s in range(5)]
    assert [p.lr for p in progress] == pytest.approx(expected)


def test_the_optimizer_takes_the_learning_rate_that_progress_reports(digits):
    for progress in train(fresh(), DIFFUSION, Batches(digits, 4), replace(QUICK, warmup=0.5)):
        assert progress.state.optimizer.param_groups[0]["lr"] == progress.lr
        assert progress.lr == pytest.approx(
            1e-3 * lr_factor((progress.step - 1) / 6, replace(QUICK, warmup=0.5))
        )


def test_lr_factor_rises_in_the_warm_up_then_falls_along_half_a_cosine():
    config = TrainConfig(warmup=0.2)
    assert lr_factor(0.0, config) == 0.05
    assert lr_factor(0.1, config) == pytest.approx(0.5)
    assert lr_factor(0.2, config) == 1
    assert lr_factor(0.6, config) == pytest.approx(0.5)
    assert lr_factor(0.4, config) == pytest.approx(0.5 + 0.5 / math.sqrt(2))
    assert lr_factor(1.0, config) == pytest.approx(0)
    assert lr_factor(0.0, TrainConfig(warmup=0.0)) == 1
    flat = TrainConfig(warmup=0.2, decay="none")
    assert [lr_factor(share, flat) for share in (0.1, 0.2, 0.9, 1.0)] == pytest.approx([0.5, 1, 1, 1])


@pytest.mark.parametrize(("bad", "every"), [(1, 1), (3, 4), (4, 4), (6, 4), (7, 10)])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(digits, bad, every, value):
    batches = Batches(digits, 4)

    def spoiled(step):
        x0, y = batches(step)
        return (x0 * value if step == bad - 1 else x0), y

    model = fresh()
    config = replace(QUICK, steps=8, every=every)
    with pytest.raises(TrainingError, match=rf"The loss of step {bad} is (nan|inf): lower the learning rate"):
        list(train(model, DIFFUSION, spoiled, config))


def test_closing_the_run_keeps_a_usable_state_that_goes_on_to_the_bit(digits):
    straight = run(digits, QUICK)[-1]
    model = fresh()
    state = start(model, QUICK)
    first = train(model, DIFFUSION, Batches(digits, 4), QUICK, state)
    for progress in first:
        if progress.step == 2:
            break
    first.close()
    assert state.step == 2
    *_, last = train(model, DIFFUSION, Batches(digits, 4), QUICK, state)
    assert last.step == 6
    assert last.loss == straight.loss
    assert torch.equal(weights_of(last), weights_of(straight))
    assert list(train(model, DIFFUSION, Batches(digits, 4), QUICK, state)) == []  # nothing is left to do


def test_weights_that_are_not_finite_stop_the_run_before_they_can_be_saved():
    # The loss of the first step is finite; its update is not.
    torch.manual_seed(0)
    model = MLP(MLPConfig(width=8, layers=1))
    x0 = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    config = TrainConfig(steps=3, lr=float("inf"), warmup=0.0, decay="none", every=1)
    with pytest.raises(TrainingError, match="weights are not finite after step 1"):
        list(train(model, GaussianDiffusion(linear_schedule(50)), lambda step: (x0, None), config))
