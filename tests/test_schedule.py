"""Schedules: the values that the papers state, the closed formulas, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import given, settings

from ddpm_lib.schedule import (
    SCHEDULES,
    NoiseSchedule,
    cosine_schedule,
    linear_schedule,
    scaled_linear_schedule,
)
from tests.helpers import close, unchecked
from tests.schedules import ALL, betas

CHAINS = [(make, T) for make in ALL for T in (50, 500, 1000)]


@pytest.mark.parametrize(("make", "T"), CHAINS)
def test_tables_have_T_plus_1_float64_entries_and_start_clean(make, T):
    schedule = make(T)
    assert schedule.T == T
    for table in (schedule.beta, schedule.alpha, schedule.alpha_bar, schedule.snr, schedule.log_snr):
        assert table.shape == (T + 1,)
        assert table.dtype == torch.float64
        assert table.device.type == "cpu"
    assert schedule.beta[0] == 0
    assert schedule.alpha[0] == 1
    assert schedule.alpha_bar[0] == 1
    assert schedule.snr[0] == math.inf
    assert schedule.log_snr[0] == math.inf


@pytest.mark.equation("eq-linear")
def test_linear_at_T_1000_is_the_papers_1e_4_to_0_02_in_equal_steps():
    beta = linear_schedule(1000).beta
    t = torch.arange(1, 1001, dtype=torch.float64)
    close(beta[1:], 1e-4 + (0.02 - 1e-4) * (t - 1) / 999, 1e-16)


@pytest.mark.equation("eq-linear")
@pytest.mark.parametrize("T", [50, 500, 2000])
def test_linear_rescales_both_ends_by_1000_over_T(T):
    beta = linear_schedule(T).beta
    assert beta[1] == pytest.approx(1e-4 * 1000 / T, rel=1e-15)
    assert beta[-1] == pytest.approx(0.02 * 1000 / T, rel=1e-15)
    step = (beta[-1] - beta[1]) / (T - 1)
    close(beta[1:].diff(), step.expand(T - 1), 1e-15)


def test_linear_without_rescaling_keeps_its_ends():
    beta = linear_schedule(300, beta_min=2e-4, beta_max=0.03, rescale=False).beta
    assert beta[1] == 2e-4
    assert beta[-1] == 0.03


@pytest.mark.equation("eq-scaled-linear")
@pytest.mark.parametrize("T", [50, 500, 1000])
def test_the_root_of_a_scaled_linear_beta_rises_in_equal_steps(T):
    root = scaled_linear_schedule(T).beta[1:].sqrt()
    assert root[0] ** 2 == pytest.approx(0.00085 * 1000 / T, rel=1e-14)
    assert root[-1] ** 2 == pytest.approx(0.012 * 1000 / T, rel=1e-14)
    close(root.diff(), ((root[-1] - root[0]) / (T - 1)).expand(T - 1), 1e-15)
    raw = scaled_linear_schedule(T, 0.0015, 0.0195, rescale=False).beta
    assert raw[[1, -1]].tolist() == pytest.approx([0.0015, 0.0195], rel=1e-14)


@pytest.mark.equation("eq-scaled-linear")
def test_scaled_linear_is_the_schedule_of_diffusers():
    ends = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    theirs = DDPMScheduler(num_train_timesteps=1000, **ends)
    ours = scaled_linear_schedule(1000)
    close(ours.beta[1:].float(), theirs.betas, 1e-8)
    close(ours.alpha_bar[1:].float(), theirs.alphas_cumprod, 1e-6)


@pytest.mark.equation("eq-cosine")
@pytest.mark.parametrize("T", [1, 10, 500, 1000])
@pytest.mark.parametrize("s", [0.008, 0.05])
def test_cosine_alpha_bar_is_the_closed_formula_until_the_clip(T, s):
    schedule = cosine_schedule(T, s=s)
    for t in range(T):

        def f(t):
            return math.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2

        if schedule.beta[t] == 0.999:
            break
        assert float(schedule.alpha_bar[t]) == pytest.approx(f(t) / f(0), rel=1e-12)
    else:
        t = T
    assert t == T, "only the last step may reach the clip"


@pytest.mark.equation("eq-cosine")
@pytest.mark.parametrize("T", [1, 10, 1000])
def test_cosine_ends_at_the_clip_exactly(T):
    assert cosine_schedule(T).beta[-1] == 0.999
    assert cosine_schedule(T).beta.max() == 0.999
    assert cosine_schedule(T, beta_clip=0.5).beta.max() == 0.5


@pytest.mark.equation("eq-alpha-bar")
@given(betas)
@settings(max_examples=60, deadline=None)
def test_alpha_bar_is_the_running_product_and_strictly_falls(values):
    schedule = NoiseSchedule(torch.tensor([0.0, *values], dtype=torch.float64))
    product = 1.0
    for t, beta in enumerate([0.0, *values]):
        product *= 1 - beta
        assert float(schedule.alpha[t]) == 1 - beta
        assert float(schedule.alpha_bar[t]) == pytest.approx(product, rel=1e-12)
    assert bool((schedule.alpha_bar.diff() < 0).all())
    assert bool((schedule.alpha_bar > 0).all())


def test_beta_of_another_precision_is_stored_as_float64():
    with unchecked():
        schedule = NoiseSchedule(torch.tensor([0.0, 0.25], dtype=torch.float32))
    assert schedule.beta.dtype == torch.float64
    assert schedule.beta.tolist() == [0.0, 0.25]


@pytest.mark.parametrize(
    ("beta", "sentence"),
    [
        ([0.0, 0.5, 1.0], r"beta\[2\] = 1 is not between 0 and 1"),
        ([0.0, 0.0], r"beta\[1\] = 0 is not between 0 and 1"),
        ([0.0, 0.1, -0.1, 2.0], r"beta\[2\] = -0.1 is not between 0 and 1"),
        ([0.0, math.nan], "must be finite"),
        ([0.0, math.inf], "must be finite"),
        ([0.1, 0.2], r"beta\[0\] is 0.1, but index 0 is the clean image"),
        ([0.0], "T >= 1"),
        ([], "T >= 1"),
        ([[0.0, 0.1]], "1-D tensor"),
        (0.1, "1-D tensor"),
    ],
)
def test_what_is_not_a_schedule_is_refused_with_a_sentence(beta, sentence):
    with unchecked(), pytest.raises(ValueError, match=sentence):
        NoiseSchedule(torch.tensor(beta, dtype=torch.float64))


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("T", [0, -3])
def test_a_chain_without_steps_is_refused(make, T):
    with pytest.raises(ValueError, match=f"T is {T}, but a chain needs at least one step"):
        make(T)


def test_rescaling_a_chain_that_is_too_short_names_the_first_bad_step():
    with pytest.raises(ValueError, match=r"beta\[6\] = 1.11556 .* raise T"):
        linear_schedule(10)


def test_schedules_by_name_are_the_three_functions():
    assert list(SCHEDULES.values()) == ALL
    assert all(make(100).name == name for name, make in SCHEDULES.items())


def test_a_schedule_cannot_be_changed():
    schedule = linear_schedule(100)
    with pytest.raises(AttributeError):
        schedule.beta = torch.zeros(2)
