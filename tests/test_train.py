"""Algorithm 1 as a loop: it learns, it repeats itself to the bit, and it says what went wrong and where."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from ddpm_lib.data import Batches, ImageData
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import simple_loss, t_weights
from ddpm_lib.models import MLP, GaussianMixture, MLPConfig, OracleDenoiser
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import TrainConfig, lr_factor, start, train
from tests.helpers import assert_mean, assert_variance, close, generator
from tests.short_runs import DIFFUSION, LABELLED, QUICK, fresh, run, weights_of
from tests.short_runs import digits as digits


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
