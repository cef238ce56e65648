"""The signal-to-noise ratio of a schedule, its logarithm, and how it is shifted for large images."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lib.schedule import (
    NoiseSchedule,
    cosine_schedule,
    linear_schedule,
    scaled_linear_schedule,
)
from tests.helpers import close
from tests.schedules import ALL, betas


@pytest.mark.equation("eq-terminal")
@pytest.mark.parametrize(
    ("make", "left", "snr"),  # Lin et al. 2024, table 1
    [
        (linear_schedule, 0.006353, 4.035993e-05),
        (cosine_schedule, 4.928220e-05, 2.428735e-09),
        (scaled_linear_schedule, 0.068265, 0.004682),
    ],
)
def test_what_is_left_at_T_is_what_was_published(make, left, snr):
    schedule = make(1000)
    assert schedule.terminal_weight == pytest.approx(left, rel=2e-5, abs=5e-7)
    assert float(schedule.snr[-1]) == pytest.approx(snr, rel=5e-5, abs=5e-7 if snr > 1e-3 else 0)


@pytest.mark.equation("eq-terminal")
@given(betas)
@settings(max_examples=60, deadline=None)
def test_what_is_left_at_T_is_the_exponential_of_the_sum(values):
    schedule = NoiseSchedule(torch.tensor([0.0, *values], dtype=torch.float64))
    by_logarithms = math.exp(sum(math.log1p(-beta) for beta in values) / 2)
    assert schedule.terminal_weight == pytest.approx(by_logarithms, rel=1e-10)
    assert schedule.terminal_weight <= math.exp(-sum(values) / 2)  # as log(1 - beta) < -beta


def test_a_short_chain_ends_in_noise_only_when_rescaled():
    # 1e-4 ... 0.02 without rescaling leaves 0.777 at T = 50, and 0.0064 at T = 1000.
    assert linear_schedule(50, rescale=False).terminal_weight == pytest.approx(0.7765, abs=5e-5)
    assert linear_schedule(1000).terminal_weight == pytest.approx(0.0064, abs=5e-5)
    assert linear_schedule(50).terminal_weight < 0.01


@pytest.mark.equation("eq-snr", "eq-log-snr")
@given(betas)
@settings(max_examples=60, deadline=None)
def test_snr_and_its_logarithm_agree_with_alpha_bar_and_fall(values):
    schedule = NoiseSchedule(torch.tensor([0.0, *values], dtype=torch.float64))
    snr = schedule.snr[1:]
    # alpha_bar = snr / (1 + snr) is the sigmoid of log snr.
    close(snr / (1 + snr), schedule.alpha_bar[1:], 1e-12)
    close(schedule.log_snr[1:].sigmoid(), schedule.alpha_bar[1:], 1e-12)
    assert bool((schedule.snr.diff() < 0).all())
    image, noise = schedule.alpha_bar.sqrt(), (1 - schedule.alpha_bar).sqrt()
    assert torch.allclose(schedule.snr, (image / noise) ** 2, rtol=1e-9)


@pytest.mark.equation("eq-variance", "eq-variance-gap")
@given(betas, st.floats(0.0, 10.0))
@settings(max_examples=60, deadline=None)
def test_the_variance_is_that_of_the_steps(values, start):
    table = NoiseSchedule(torch.tensor([0.0, *values], dtype=torch.float64)).variance(start)
    assert table[0] == pytest.approx(start, abs=1e-12)
    variance = start
    for t, beta in enumerate(values, start=1):  # variances of independent terms add
        variance = (1 - beta) * variance + beta
        assert float(table[t]) == pytest.approx(variance, abs=1e-12)


@pytest.mark.equation("eq-shift")
@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("d", [0.5, 1, 2, 8.0])
def test_a_shift_lowers_log_snr_by_the_same_at_every_t(make, d):
    schedule = make(500)
    shifted = schedule.shifted(d)
    close(shifted.log_snr[1:], schedule.log_snr[1:] - 2 * math.log(d), 1e-9)
    assert shifted.T == 500
    assert shifted.name == f"{schedule.name}, shifted by {d:g}"


@pytest.mark.equation("eq-shift")
def test_averaging_a_large_image_undoes_the_shift():
    # The mean of d x d pixels: signal alike, noise variance divided by d^2.
    schedule, d = cosine_schedule(100), 4
    ab = schedule.shifted(d).alpha_bar[1:]
    close((ab / ((1 - ab) / d**2)).log(), schedule.log_snr[1:], 1e-9)


@pytest.mark.parametrize("d", [0, -2])
def test_a_shift_to_no_image_is_refused(d):
    with pytest.raises(ValueError, match=f"d = {d}, but an image is a positive number"):
        linear_schedule(50).shifted(d)
