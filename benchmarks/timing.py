"""Timings of several arms side by side: every arm once a round, so that a noisy machine is noisy for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles

import torch

Arm = Callable[[], object]


def interleave(arms: Mapping[str, Arm], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each call, a list of `rounds` for each arm; the first `warm_up` rounds are not counted."""
    times: dict[str, list[float]] = {name: [] for name in arms}
    for round_ in range(-warm_up, rounds):
        names = list(arms)
        shift = round_ % len(names)  # so that no arm always follows the same neighbor
        for name in names[shift:] + names[:shift]:
            seconds = timed(arms[name])
            if round_ >= 0:
                times[name].append(seconds)
    return times


def timed(arm: Arm) -> float:
    """Seconds of one call, with what it gave an accelerator to do."""
    _wait()
    begun = time.perf_counter()
    arm()
    _wait()
    return time.perf_counter() - begun


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, and the quartiles around it."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return median(values), low, high


def digits(value: float, n: int = 3) -> float:
    """`value` with n significant digits, as it is written down."""
    return float(f"{value:.{n}g}")
