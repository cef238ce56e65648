"""Guidance against what it claims to be: linear in w, Bayes' rule, a tilted density's gradient, one Gaussian's ODE."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last
from ddpm_lib.flow import heun_step
from ddpm_lib.guidance import ClassifierGuided, Guided, class_score
from ddpm_lib.models import GaussianMixture, OracleDenoiser, tilted_log_prob
from ddpm_lib.sampling import ddim_step, sample, sample_from
from ddpm_lib.schedule import linear_schedule
from tests.class_oracle import CLASSES, ORACLE, SCHEDULE, XT, Y, at, network, table
from tests.helpers import close, generator

DIFFUSION = GaussianDiffusion(SCHEDULE)
TIMES = pytest.mark.parametrize("t", [1, 30, 100, 199, 200])


def gradient(function, x: torch.Tensor) -> torch.Tensor:
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(function(x).sum(), x)
    return found


@TIMES
def test_the_class_oracle_answers_for_a_class_and_for_all_of_them(t):
    for k, mixture in enumerate(CLASSES):
        each = OracleDenoiser(mixture, SCHEDULE.alpha_bar)
        close(ORACLE(XT, at(t), torch.full((40,), k)), each(XT, at(t)), 1e-14)
    whole = OracleDenoiser(ORACLE.whole, SCHEDULE.alpha_bar)(XT, at(t))
    close(ORACLE(XT, at(t)), whole, 1e-14)
    close(ORACLE(XT, at(t), torch.full((40,), ORACLE.null)), whole, 1e-14)
    mixed = ORACLE(XT, at(t), Y)  # labels differ within a batch
    for k in range(2):
        close(mixed[k == Y], ORACLE(XT, at(t), torch.full((40,), k))[k == Y], 1e-14)
    assert ORACLE.predicts == "eps"


def test_its_classifier_is_bayes_rule_and_knows_nothing_at_the_end():
    t = torch.tensor([0, 60] * 20)
    both = torch.stack([ORACLE.log_prob(XT, t, torch.full((40,), k)) for k in range(2)])
    close(both.exp().sum(0), torch.ones(40).double(), 1e-12)
    law = [mixture.noised(SCHEDULE.alpha_bar[60]).log_prob(XT[1::2]) for mixture in CLASSES]
    odds = law[0] - law[1] + torch.log(table(0.6) / 0.4)
    close((both[0] - both[1])[1::2], odds, 1e-10)
    at_the_end = ORACLE.log_prob(XT, at(200), torch.zeros(40).long()).exp()
    close(at_the_end, torch.full((40,), 0.6).double(), 0.02)


@pytest.mark.equation("eq-class-score")
@TIMES
def test_the_difference_of_two_guesses_is_the_classifiers_gradient(t):
    found = class_score(DIFFUSION, XT, t, ORACLE(XT, at(t), Y), ORACLE(XT, at(t)))
    close(found, gradient(lambda x: ORACLE.log_prob(x, at(t), Y), XT), 1e-9)


@pytest.mark.equation("eq-classifier-guidance")
@TIMES
@pytest.mark.parametrize("w", [-1.0, 0.0, 2.0])
def test_with_a_perfect_classifier_both_guidances_are_one(t, w):
    by_classifier = ClassifierGuided(ORACLE, DIFFUSION, ORACLE.log_prob, scale=1 + w)
    close(by_classifier(XT, at(t), Y), Guided(ORACLE, w, ORACLE.null)(XT, at(t), Y), 1e-9)
    assert by_classifier.predicts == "eps"


def test_classifier_guidance_samples_though_sampling_takes_no_gradients():
    run = partial(
        sample, diffusion=DIFFUSION, shape=(2,), seeds=range(4), step=ddim_step, steps=5, clip=False
    )
    y = torch.tensor([0, 1, 0, 1])
    by_classifier = ClassifierGuided(ORACLE, DIFFUSION, ORACLE.log_prob, scale=3.0)
    close(last(run(by_classifier, y=y)).xt, last(run(Guided(ORACLE, 2.0, 2), y=y)).xt, 1e-4)
    with pytest.raises(ValueError, match="Guidance steers towards a class: pass y"):
        by_classifier(XT, at(3))


@pytest.mark.equation("eq-guidance")
def test_guidance_is_linear_in_w_through_the_conditional_and_the_unconditional_output():
    net, x = network(), torch.randn(4, 1, 8, 8, generator=generator(1))
    t, y = torch.tensor([1, 20, 300, 999]), torch.tensor([0, 1, 2, 1])
    with torch.no_grad():
        conditional, unconditional = net(x, t, y), net(x, t, None)
        close(Guided(net, 0.0, null=3)(x, t, y), conditional, 1e-5)
        close(Guided(net, -1.0, null=3)(x, t, y), unconditional, 1e-5)
        for w in (0.5, 3.0):
            expected = conditional + w * (conditional - unconditional)
            close(Guided(net, w, null=3)(x, t, y), expected, 1e-4)
        assert float((conditional - unconditional).abs().max()) > 1e-2  # or the test would say nothing


@pytest.mark.equation("eq-tilted")
@TIMES
@pytest.mark.parametrize("w", [0.0, 0.5, 4.0])
def test_the_guided_score_is_the_tilted_densitys_gradient_at_every_time(t, w):
    guided = Guided(ORACLE, w, ORACLE.null)(XT, at(t), torch.zeros(40).long())
    of_class, whole = (m.noised(SCHEDULE.alpha_bar[t]) for m in (CLASSES[0], ORACLE.whole))
    tilted = gradient(lambda x: tilted_log_prob(of_class, whole, x, w), XT)
    close(DIFFUSION.score(XT, t, guided), tilted, 1e-8)
    # and it is the class's density times a power of the classifier, up to a constant
    power = of_class.log_prob(XT) + w * ORACLE.log_prob(XT, at(t), torch.zeros(40).long())
    apart = tilted_log_prob(of_class, whole, XT, w) - power
    close(apart, apart[:1].expand(40), 1e-9)


class TwoGaussians:
    """N(0, v_y) for class 0 and N(0, v) without a class."""

    predicts = "eps"

    def __init__(self, v_y, v, alpha_bar):
        one = torch.ones(1).double()
        laws = [GaussianMixture(torch.zeros(1, 1).double(), one * u**0.5, one) for u in (v_y, v)]
        self.oracles = [OracleDenoiser(law, alpha_bar) for law in laws]

    def __call__(self, xt, t, y=None):
        with_class, without = (oracle(xt, t) for oracle in self.oracles)
        return torch.where(y[:, None] == 0, with_class, without)


@pytest.mark.parametrize(("v_y", "v", "w"), [(1.0, 2.0, 1.0), (0.5, 1.0, 3.0), (0.3, 0.4, 0.5)])
def test_the_walk_does_not_end_in_the_tilted_gaussian(v_y, v, w):
    """It ends with the variance v_y (v_y / v)^w (Bradley and Nakkiran 2024 for v_y = 1, v = 2)."""
    schedule = linear_schedule(500)
    two, y = TwoGaussians(v_y, v, schedule.alpha_bar), torch.zeros(1).long()
    xT = torch.ones(1, 1).double()  # every step is linear: follow one standard deviation
    run = sample_from(Guided(two, w, 1), GaussianDiffusion(schedule), xT, y=y, step=heun_step, clip=False)
    x = last(run).xt
    assert float(x) ** 2 == pytest.approx(v_y * (v_y / v) ** w, rel=2e-3)
    tilted = 1 / ((1 + w) / v_y - w / v)
    assert float(x) ** 2 < 0.99 * tilted
