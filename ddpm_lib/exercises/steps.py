"""Graders of the chapter on sampling: its timesteps, and how many of them are enough."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.sampling import timesteps
from ddpm_lib.schedule import linear_schedule

LONG, DATA_VARIANCE, SHARE = linear_schedule(500), 0.25, 0.05  # of `check_enough_steps`


def check_timesteps(answer: object) -> Verdict:
    """answer(T, steps): the times T, ..., 0 of `steps` nearly equal strides, rounded, as a list."""

    def path(T: int, steps: int) -> Tensor:
        return torch.tensor(timesteps(T, steps))

    def padded(times: list[int], steps: int) -> Tensor:
        return torch.tensor((times + [0] * steps)[: steps + 1])

    if callable(answer):
        for T, steps in ((50, 5), (500, 7)):
            try:
                times = answer(T, steps)
                count, ends = len(times), [float(time) for time in (times[0], times[-1])]
            except (Exception, SystemExit):  # `grade` calls again, and says what was raised
                break
            if count != steps + 1:
                return Verdict(
                    False,
                    f"For T = {T} and {steps} steps you return {count} times: {steps} strides have {steps + 1} ends, "
                    "T and 0 among them.",
                )
            if ends[1] == 1.0:
                return Verdict(False, "Your path ends at 1. The clean image is at t = 0.")
    mistakes = [
        Mistake(
            lambda T, steps: torch.tensor([T - i * (T // steps) for i in range(steps + 1)]),
            "Where steps does not divide T, your path does not end at 0: the picture keeps noise.",
        ),
        Mistake(
            lambda T, steps: path(T, steps).flip(0), "Time runs backwards in a sampler: from T down to 0."
        ),
        Mistake(
            lambda T, steps: padded([int(T * (steps - i) / steps) for i in range(steps)], steps),
            "You cut the decimals off. Round to the nearest whole number.",
        ),
        Mistake(
            lambda T, steps: torch.tensor([round((T - 1) * (steps - i) / steps) for i in range(steps + 1)]),
            "Your path begins at T - 1: where tables start with the clean image, the noise is at T.",
        ),
        Mistake(
            lambda T, steps: torch.linspace(T, 0, steps + 1, dtype=torch.float64),
            "A time is an index into the table: round each to the nearest whole number.",
        ),
        Mistake(
            lambda T, steps: torch.tensor([math.ceil(T * (steps - i) / steps) for i in range(steps + 1)]),
            "You rounded up. Round to the nearest whole number.",
        ),
        Mistake(
            lambda T, steps: torch.tensor([*(T - i * (T // steps) for i in range(steps)), 0]),
            "Your last stride is longer than the others: round each time by itself, not the length of a stride.",
        ),
    ]
    cases = [(500, 7), (50, 5), (1000, 30), (50, 50)]
    praise = "From T to 0, both included, in strides that differ by one at most."
    return grade(answer, path, mistakes, cases, praise)


@cache
def variance_drawn(v: float, steps: int, eta: float) -> float:
    """Var[x_0] of DDIM with the best guess for data N(0, v) on `LONG`: every step is linear in x_t."""
    ab, variance = LONG.alpha_bar.tolist(), 1.0
    for t, s in pairwise(timesteps(LONG.T, steps)):
        total = ab[t] * v + 1 - ab[t]
        x0_hat, eps_hat = math.sqrt(ab[t]) * v / total, math.sqrt(1 - ab[t]) / total
        sigma2 = eta**2 * (1 - ab[s]) / (1 - ab[t]) * (1 - ab[t] / ab[s])
        slope = math.sqrt(ab[s]) * x0_hat + math.sqrt(1 - ab[s] - sigma2) * eps_hat
        variance = slope**2 * variance + sigma2
    return variance


def check_enough_steps(answer: object) -> Verdict:
    """answer: the fewest DDIM steps (eta = 0) on linear_schedule(500) that draw N(0, 0.25) with 5 % of variance off."""

    def fewest(v: float = DATA_VARIANCE, eta: float = 0.0, share: float = SHARE) -> int:
        return next(n for n in range(1, LONG.T + 1) if abs(variance_drawn(v, n, eta) / v - 1) < share)

    right = fewest()
    mistakes: list[tuple[object, str]] = [
        (right - 1, f"With {right - 1} steps the variance is still just over 5 % off."),
        (right + 1, f"With {right} steps the variance is less than 5 % off already."),
        (fewest(eta=1.0), "That is for eta = 1. Without noise fewer steps do."),
        (fewest(v=1.0), "That is for data of variance 1. For 0.25 the strides near t = 0 count for more."),
        (
            fewest(share=1 - (1 - SHARE) ** 2),
            "That is where the standard deviation is 5 % off: the variance was asked for.",
        ),
        (fewest(share=0.02), "That is for 2 %. Stop at 5 %."),
        (fewest(share=0.1), "That is for 10 %. Go on to 5 %."),
        (LONG.T, "Those are all of them. Far fewer do: search from the other end."),
    ]
    praise = "The error of a first-order method falls like one over the number of steps."
    sides = (
        "Too few: the variance of the draws is more than 5 % off.",
        "More than needed: with fewer steps the variance is less than 5 % off, too.",
    )
    return grade_value(answer, right, mistakes, praise, sides)
