"""Grading itself: an unknown mistake, inputs that stay as they are, the library, and what a verdict is."""

import math

import torch

from ddpm_lib import exercises
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.exercises import Verdict, grade, schedules
from ddpm_lib.schedule import linear_schedule


def test_an_unknown_mistake_is_located() -> None:
    verdict = grade(lambda a: 2 * a, lambda a: 3 * a, [], [(0.0,), (5.0,)], "fine")
    assert verdict.message.startswith("For a = 5 the result is off by up to 5")


def test_a_reader_cannot_spoil_the_inputs() -> None:
    def careless(x: torch.Tensor, beta_t: float, eps: torch.Tensor) -> torch.Tensor:
        x *= math.sqrt(1 - beta_t)
        eps *= math.sqrt(beta_t)
        return x.add_(eps)

    assert exercises.check_one_step(careless)


def test_the_graders_agree_with_the_library() -> None:
    schedule = linear_schedule(500)
    mean, variance = GaussianDiffusion(schedule).q_mean_variance(
        torch.tensor([[0.8]], dtype=torch.float64), 100
    )
    assert exercises.check_pixel((float(mean), float(variance) ** 0.5))
    last = [float(linear_schedule(T, rescale=False).alpha_bar[-1].sqrt()) for T in (910, 911)]
    assert last[1] < schedules.TERMINAL < last[0]


def test_a_verdict_is_a_short_text_with_a_truth() -> None:
    assert bool(Verdict(True, "x")) is True
    assert bool(Verdict(False, "x")) is False
    assert max(map(len, repr(Verdict(False, "word " * 60)).splitlines())) <= 76
    assert not hasattr(Verdict(True, "x"), "_repr_html_")
