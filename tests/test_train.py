"""Algorithm 1 as a loop: it learns, it repeats itself to the bit, and it says what went wrong and where."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from ddpm_lib.data import Batches, ImageData, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import simple_loss, t_weights
from ddpm_lib.models import MLP, GaussianMixture, MLPConfig, OracleDenoiser, UNetConfig, build
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.train import Machine, TrainConfig, TrainingError, lr_factor, start, train
from tests.helpers import assert_mean, assert_variance, close, generator

DIFFUSION = GaussianDiffusion(cosine_schedule(100))
TINY = UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2, groups=1, activation="silu")
LABELLED = replace(TINY, classes=10, dropout=0.2)
QUICK = TrainConfig(steps=6, batch=4, lr=1e-3, every=1)


@pytest.fixture(scope="module")
def digits():
    test = mnist(train=False)
    return ImageData(test.pixels[:16, :, ::2, ::2], test.y[:16], "sixteen")  # 14 x 14, for speed


def fresh(config=TINY, seed=0):
    torch.manual_seed(seed)
    return build(config)


def run(digits, config, model_config=TINY, model=None, machine=None):
    model = fresh(model_config) if model is None else model
    return list(train(model, DIFFUSION, Batches(digits, config.batch), config, machine=machine))


def weights_of(progress):
    return torch.cat([p.detach().flatten() for p in progress.state.model.parameters()])


# -- learning ------------------------------------------------------------------------------------------------


class BestPossible:
    """The oracle for data that are eight points, in the parametrization asked for."""

    def __init__(self, points, diffusion, predicts):
        mixture = GaussianMixture(points, torch.full((8,), 1e-3), torch.full((8,), 1 / 8))
        self.oracle = OracleDenoiser(mixture, diffusion.schedule.alpha_bar)
        self.diffusion, self.predicts = diffusion, predicts

    def __call__(self, xt, t, y=None):
        eps = self.oracle(xt, t)
        return self.diffusion.target(self.diffusion.predict_x0(xt, t, eps), t, eps, self.predicts)


@pytest.mark.parametrize(("predicts", "gap"), [("eps", 0.2), ("x0", 0.2), ("v", 0.6)])
def test_eight_points_are_learnt_nearly_as_well_as_the_oracle_knows_them(predicts, gap):
    points = torch.randn(8, 2, generator=generator(0))
    diffusion = GaussianDiffusion(linear_schedule(50))
    config = TrainConfig(steps=400, lr=1e-2, ema=0.99, every=400)
    torch.manual_seed(0)
    model = MLP(MLPConfig(width=64, predicts=predicts))
    *_, last = train(model, diffusion, lambda step: (points.repeat(16, 1), None), config)
    x0, t = points.repeat(512, 1), torch.randint(1, 51, (4096,), generator=generator(1))
    eps = torch.randn(x0.shape, generator=generator(2))
    best = float(simple_loss(BestPossible(points, diffusion, predicts), diffusion, x0, t, eps))
    with torch.no_grad():
        learnt = float(simple_loss(last.state.ema.average, diffusion, x0, t, eps))
        nothing = float(simple_loss(MLP(MLPConfig(predicts=predicts)), diffusion, x0, t, eps))
    assert best < learnt < best + gap * (nothing - best)


def test_eight_images_are_learnt_by_heart(digits):
    eight = ImageData(digits.pixels[:8], None, "eight")
    config = TrainConfig(steps=150, batch=8, lr=1e-2, every=50)
    batches = Batches(eight, 8)
    state = start(fresh(), config)
    x0 = eight.x0()
    t, eps = torch.arange(10, 90, 10), torch.randn(x0.shape, generator=generator(1))
    with torch.no_grad():
        before = float(simple_loss(state.model, DIFFUSION, x0, t, eps))
    losses = [progress.loss for progress in train(state.model, DIFFUSION, batches, config, state)]
    with torch.no_grad():
        after = float(simple_loss(state.model, DIFFUSION, x0, t, eps))
        averaged = float(simple_loss(state.ema.average, DIFFUSION, x0, t, eps))
    assert before == pytest.approx(1, abs=0.1)  # a fresh network says 0, and eps has variance 1
    assert losses[0] > losses[1] > losses[2]
    assert after < 0.2
    assert averaged < 0.2


# -- what one step does --------------------------------------------------------------------------------------


def by_hand(model, digits, config, steps):
    """The same run written out: AdamW's formula, clipping, warm-up, draws in the documented order."""
    rng, beta1, beta2 = generator(config.seed), *config.betas
    batches, parameters = Batches(digits, config.batch), list(model.parameters())
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
    for step in range(steps):
        x0, _ = batches(step)
        probabilities = torch.ones(DIFFUSION.T + 1)
        probabilities[0] = 0
        t = torch.multinomial(probabilities / DIFFUSION.T, len(x0), replacement=True, generator=rng)
        eps = torch.randn(x0.shape, generator=rng)
        loss = (model(DIFFUSION.q_sample(x0, t, eps), t) - eps).square().mean()
        gradients = torch.autograd.grad(loss, parameters)
        norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
        share = step / config.steps
        lr = config.lr * lr_factor(share, config)
        with torch.no_grad():
            for p, g, (m, v) in zip(parameters, gradients, moments, strict=True):
                if config.clip:
                    g = g * min(1.0, config.clip / (float(norm) + 1e-6))
                p *= 1 - lr * config.weight_decay
                m.lerp_(g, 1 - beta1)
                v.lerp_(g * g, 1 - beta2)
                m_hat, v_hat = m / (1 - beta1 ** (step + 1)), v / (1 - beta2 ** (step + 1))
                p -= lr * m_hat / (v_hat.sqrt() + 1e-8)
    return float(norm)


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_three_steps_are_adamw_with_clipping_by_hand(digits, clip):
    config = replace(QUICK, steps=3, clip=clip, betas=(0.8, 0.95), weight_decay=5.0, seed=7)
    expected = fresh()
    for p in expected.parameters():  # nothing at 0, where Adam divides 0 by 0
        torch.nn.init.normal_(p, std=0.1)
    trained = copy.deepcopy(expected)
    norm = by_hand(expected, digits, config, 3)
    assert norm > 0.05  # or clipping would not show
    *_, last = run(digits, config, model=trained)
    close(weights_of(last), torch.cat([p.flatten() for p in expected.parameters()]), 5e-5)


def test_the_average_trails_the_weights_by_its_formula(digits):
    config = replace(QUICK, steps=5, ema=0.3)
    model = fresh()
    expected = torch.cat([p.detach().flatten() for p in model.parameters()])
    for progress in train(model, DIFFUSION, Batches(digits, 4), config):
        decay = min(0.3, progress.step / (9 + progress.step))  # steps count from 0 in the formula
        expected = decay * expected + (1 - decay) * weights_of(progress)
        average = torch.cat([p.flatten() for p in progress.state.ema.average.parameters()])
        close(average, expected, 1e-6)


def test_the_network_sees_each_label_or_no_class_and_the_share_dropped_is_as_configured(digits):
    seen = []
    model = fresh(LABELLED)
    model.label.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    config = replace(QUICK, steps=30, batch=16, label_drop=0.25)
    batches = Batches(digits, 16)
    for _ in train(model, DIFFUSION, batches, config):
        pass
    labels = torch.cat(seen)
    true = torch.cat([batches(step)[1] for step in range(30)])
    dropped = labels == 10
    assert torch.equal(labels[~dropped], true[~dropped])
    n = len(labels)
    assert abs(float(dropped.double().mean()) - 0.25) < 5 * (0.25 * 0.75 / n) ** 0.5
    seen.clear()
    for _ in train(model, DIFFUSION, batches, replace(config, steps=2, label_drop=0.0)):
        pass
    assert 10 not in torch.cat(seen)


def test_labels_are_ignored_by_a_network_without_classes(digits):
    assert digits.y is not None
    assert run(digits, QUICK)[-1].step == 6


@pytest.mark.parametrize("how", ["uniform", "lognormal"])
def test_times_follow_the_law_of_the_configuration(how):
    seen, model = [], MLP(MLPConfig(width=8))
    model.time.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    for _ in train(model, DIFFUSION, lambda step: (torch.zeros(64, 2), None), replace(QUICK, draw_t=how)):
        pass
    drawn, t = torch.cat(seen).double()[:, None], torch.arange(101).double()
    law, other = t_weights(DIFFUSION.schedule, how), t_weights(DIFFUSION.schedule, OTHER[how])
    mean = (law * t).sum()
    assert drawn.shape == (6 * 64, 1)
    assert_mean(drawn, mean)
    assert_variance(drawn, (law * (t - mean) ** 2).sum())
    with pytest.raises(AssertionError, match="variance off"):  # the two laws can be told apart
        assert_variance(drawn, (other * (t - mean) ** 2).sum())


OTHER = {"uniform": "lognormal", "lognormal": "uniform"}


# -- determinism ---------------------------------------------------------------------------------------------


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


# -- Progress, budgets and stopping --------------------------------------------------------------------------


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
