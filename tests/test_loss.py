"""The training loss against a computation by hand, and the law that times are drawn from."""

from __future__ import annotations

import math

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import draw_t, min_snr, simple_loss, t_weights
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from tests.helpers import close, generator, unchecked

DIFFUSION = GaussianDiffusion(linear_schedule(1000))


class Linear:
    """A denoiser with a known answer: 0.3 x_t + 0.001 t + 0.1 y."""

    def __init__(self, predicts):
        self.predicts = predicts

    def __call__(self, xt, t, y=None):
        shape = (-1, *[1] * (xt.ndim - 1))
        label = 0 if y is None else 0.1 * y.double().reshape(shape)
        return 0.3 * xt + 0.001 * t.double().reshape(shape) + label


@pytest.mark.equation("eq-l-simple")
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
@pytest.mark.parametrize("labelled", [False, True])
def test_simple_loss_is_the_mean_square_by_hand(predicts, labelled):
    x0, eps = (torch.randn(3, 1, 2, 2, generator=generator(s), dtype=torch.float64) for s in (0, 1))
    t, y = torch.tensor([1, 400, 1000]), torch.tensor([5, 0, 9])
    total = 0.0
    for i in range(3):
        ab = float(DIFFUSION.schedule.alpha_bar[t[i]])
        for clean, noise in zip(x0[i].flatten().tolist(), eps[i].flatten().tolist(), strict=True):
            xt = math.sqrt(ab) * clean + math.sqrt(1 - ab) * noise
            output = 0.3 * xt + 0.001 * int(t[i]) + (0.1 * int(y[i]) if labelled else 0)
            v = math.sqrt(ab) * noise - math.sqrt(1 - ab) * clean
            total += (output - {"eps": noise, "x0": clean, "v": v}[predicts]) ** 2
    loss = simple_loss(Linear(predicts), DIFFUSION, x0, t, eps, y if labelled else None)
    assert float(loss) == pytest.approx(total / 12, rel=1e-12)


@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_simple_loss_of_the_right_answer_is_0(predicts):
    x0, eps = (torch.randn(4, 2, generator=generator(s)) for s in (0, 1))
    t = torch.tensor([1, 2, 500, 1000])

    class Right:
        def __call__(self, xt, t, y=None):
            return DIFFUSION.target(x0, t, eps, predicts)

    Right.predicts = predicts
    assert float(simple_loss(Right(), DIFFUSION, x0, t, eps)) == 0


def test_a_loss_of_a_half_precision_network_is_taken_in_float32():
    class Half:
        predicts = "eps"

        def __call__(self, xt, t, y=None):
            return xt.to(torch.bfloat16)

    x = torch.randn(4, 2, generator=generator(0))
    assert simple_loss(Half(), DIFFUSION, x, torch.tensor([1, 2, 3, 4]), x).dtype == torch.float32


@pytest.mark.equation("eq-min-snr")
def test_min_snr_is_flat_where_the_image_is_clear_and_the_snr_where_it_is_not():
    schedule = cosine_schedule(500)
    weight, snr = min_snr(schedule, 5.0), schedule.snr
    for t in range(501):
        ab = float(schedule.alpha_bar[t])
        assert float(weight[t]) == pytest.approx(min(ab / (1 - ab), 5.0) if t else 5.0, rel=1e-12)
    assert bool((min_snr(schedule, 1e9)[1:] == snr[1:]).all())


# -- the times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["uniform", "lognormal", "logistic"])
@pytest.mark.parametrize("schedule", [linear_schedule(100), cosine_schedule(500), cosine_schedule(1)])
def test_weights_are_probabilities_and_t_0_has_none(how, schedule):
    weights = t_weights(schedule, how)
    assert weights.shape == (schedule.T + 1,)
    assert weights.dtype == torch.float64
    assert weights[0] == 0
    assert bool((weights >= 0).all())
    assert float(weights.sum()) == pytest.approx(1, abs=1e-14)


def test_uniform_weights_are_equal():
    weights = t_weights(linear_schedule(100))
    close(weights[1:], torch.full((100,), 0.01, dtype=torch.float64), 1e-16)
    assert torch.equal(weights, t_weights(linear_schedule(100), "uniform"))


def normal_cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


@pytest.mark.parametrize("schedule", [linear_schedule(1000), cosine_schedule(500)])
def test_lognormal_mass_up_to_t_is_the_normal_cdf_of_log_sigma(schedule):
    weights = t_weights(schedule, "lognormal")
    ab = schedule.alpha_bar.tolist()
    log_sigma = [0.0] + [0.5 * math.log((1 - a) / a) for a in ab[1:]]  # of the noise-to-signal ratio
    for t in (1, 2, 50, 200, 400, schedule.T - 1):
        edge = (log_sigma[t] + log_sigma[t + 1]) / 2
        assert float(weights[: t + 1].sum()) == pytest.approx(normal_cdf(edge), abs=1e-9)


@pytest.mark.equation("eq-logistic")
@pytest.mark.parametrize("schedule", [linear_schedule(1000), cosine_schedule(500)])
def test_logistic_mass_up_to_t_is_the_share_of_noise(schedule):
    """tau = sigma / (1 + sigma) is uniform: between two times, at the geometric mean of their sigmas."""
    weights = t_weights(schedule, "logistic")
    ab = schedule.alpha_bar.tolist()
    for t in (1, 2, 50, 200, 400, schedule.T - 1):
        sigma = ((1 - ab[t]) / ab[t] * (1 - ab[t + 1]) / ab[t + 1]) ** 0.25
        assert float(weights[: t + 1].sum()) == pytest.approx(sigma / (1 + sigma), abs=1e-9)


def test_lognormal_mean_and_spread_are_0_and_1():
    # A fine chain that covers the whole law: the moments come out within the spacing of the times.
    schedule = cosine_schedule(4000)
    weights = t_weights(schedule, "lognormal")[1:]
    log_sigma = -0.5 * schedule.log_snr[1:]
    mean = float((weights * log_sigma).sum())
    spread = float((weights * (log_sigma - mean) ** 2).sum()) ** 0.5
    assert mean == pytest.approx(0, abs=0.01)
    assert spread == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("mean", "std"), [(-1.2, 1.2), (0.5, 0.7)])
def test_a_lognormal_law_has_the_mean_and_spread_that_were_asked_for(mean, std):
    schedule = cosine_schedule(4000)
    weights = t_weights(schedule, "lognormal", mean, std)[1:]
    log_sigma = -0.5 * schedule.log_snr[1:]
    assert float((weights * log_sigma).sum()) == pytest.approx(mean, abs=0.01)
    assert float((weights * (log_sigma - mean) ** 2).sum()) ** 0.5 == pytest.approx(std, abs=0.01)


def test_draws_follow_the_weights_and_never_give_t_0():
    n = 200_000
    for weights in (t_weights(linear_schedule(50)), t_weights(cosine_schedule(50), "lognormal")):
        share = draw_t(n, weights, generator(0)).bincount(minlength=51) / n
        assert share[0] == 0
        errors = 5 * (weights * (1 - weights) / n).sqrt()  # five standard errors of a binomial share
        assert bool(((share - weights).abs() <= errors).all())


def test_draws_are_decided_by_the_generator():
    weights = t_weights(linear_schedule(100))
    first = draw_t(64, weights, generator(3))
    assert first.shape == (64,)
    assert first.dtype == torch.int64
    assert torch.equal(first, draw_t(64, weights, generator(3)))
    assert not torch.equal(first, draw_t(64, weights, generator(4)))
    assert len(first.unique()) > 30  # one time an image, not one for all


def test_one_step_chains_draw_their_only_time():
    one = NoiseSchedule(torch.tensor([0.0, 0.5], dtype=torch.float64))
    for how in ("uniform", "lognormal"):
        assert t_weights(one, how).tolist() == [0, 1]
        assert draw_t(5, t_weights(one, how), generator(0)).tolist() == [1] * 5


def test_an_unknown_law_is_refused():
    with unchecked(), pytest.raises(ValueError, match="'uniform' or 'lognormal', not 'sigmoid'"):
        t_weights(linear_schedule(100), "sigmoid")
