"""Graders of the chapter on the forward Markov chain: its schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.schedule import cosine_schedule, linear_schedule

TERMINAL = 0.01  # the weight of the image that may be left at T


def check_cosine_beta(answer: object) -> Verdict:
    """answer(T): beta of the cosine schedule, T + 1 entries with beta[0] = 0, clipped at 0.999."""

    def right(T: int) -> Tensor:
        return cosine_schedule(T).beta

    def variant(
        T: int,
        *,
        power: float = 2.0,
        s: float = 0.008,
        clip: float = 0.999,
        over: float = 0.0,
        upside: bool = False,
    ) -> Tensor:
        u = torch.arange(T + 1, dtype=torch.float64) / T
        f = torch.cos((u + s) / (over or 1 + s) * math.pi / 2) ** power
        ratio = f[:-1] / f[1:] if upside else f[1:] / f[:-1]
        beta = (1 - ratio).clamp(max=clip)
        return torch.cat([beta.new_zeros(1), beta])

    mistakes = [
        Mistake(lambda T: variant(T, power=1.0), "The cosine is not squared: f(t) = cos(...)^2."),
        Mistake(
            lambda T: variant(T, clip=2.0),
            "The last beta is not clipped: no step may take away all of the image.",
        ),
        Mistake(
            lambda T: variant(T, s=0.0),
            "The offset s = 0.008 is missing: without it the first steps are tiny.",
        ),
        Mistake(
            lambda T: torch.cat([right(T)[1:], torch.zeros(1, dtype=torch.float64)]),
            "You padded the wrong side: the 0 belongs in front, at t = 0.",
        ),
        Mistake(
            lambda T: cosine_schedule(T).alpha_bar,
            "That is alpha_bar. beta_t = 1 - alpha_bar_t / alpha_bar_{t-1}.",
        ),
        Mistake(lambda T: cosine_schedule(T).alpha, "That is alpha: beta = 1 - alpha."),
        Mistake(
            lambda T: torch.cat([torch.tensor([0.02], dtype=torch.float64), right(T)[1:]]),
            "At t = 0 there is no step, so beta[0] is 0.",
        ),
        Mistake(
            lambda T: variant(T, over=1.0),
            "The offset moves the start alone: (u + s) is divided by 1 + s, so that the end stays at pi / 2.",
        ),
        Mistake(
            lambda T: variant(T, upside=True),
            "The ratio is upside down: beta_t = 1 - alpha_bar_t / alpha_bar_{t-1}.",
        ),
        Mistake(
            lambda T: 1 - cosine_schedule(T).alpha_bar,
            "That is 1 - alpha_bar, all the noise so far. The last step alone: 1 - alpha_bar_t / alpha_bar_{t-1}.",
        ),
        Mistake(
            lambda T: cosine_schedule(T + 1).beta[:-1],
            "There are T steps, and the last ends at u = 1: t / T.",
        ),
        Mistake(lambda T: right(T).sqrt(), "That is the root of beta: the variance of a step was asked for."),
        Mistake(
            lambda T: torch.cos((torch.arange(T + 1) / T + 0.008) / 1.008 * math.pi / 2) ** 2,
            "That is f, and nearly alpha_bar. beta_t = 1 - f(t) / f(t - 1).",
        ),
        Mistake(
            lambda T: variant(T, over=1.008 * math.pi / 2), "The cosine's argument lacks the factor pi / 2."
        ),
    ]
    return grade(answer, right, mistakes, [(10,), (100,)], "Squared, offset, clipped, and 0 at t = 0.")


def check_smallest_T(answer: object) -> Verdict:
    """answer: the smallest T for which the unscaled linear schedule leaves less than 1 % of the image at T."""
    unscaled = _smallest_T(_weight)
    by_the_sum = int(-2 * math.log(TERMINAL) / 0.01005)
    mistakes: list[tuple[object, str]] = [
        (
            _smallest_T(_share),
            "You asked for alpha_bar_T < 0.01. The weight of the image in x_T is its square root.",
        ),
        (unscaled - 1, "One too few: there the weight is still just above 0.01."),
        (unscaled + 1, "One too many: the T before it is enough."),
        (unscaled - 2, "Count again: a table for T steps has T + 1 entries, and the last is alpha_bar[T]."),
        (by_the_sum, "That is the estimate by the sum of the betas. Now search near it with the table."),
        (by_the_sum + 1, "That is the estimate by the sum of the betas. Now search near it with the table."),
        (
            by_the_sum // 2,
            "That estimate makes alpha_bar_T 0.01. Its root is the weight: twice as much, and then search.",
        ),
        (
            int(-2 * math.log(TERMINAL) / 0.01),
            "That is the estimate with log(1 - beta) = -beta. Now search near it with the table.",
        ),
        (0.01, "The smallest T was asked for, a whole number."),
        (1000, "That is the usual T. Fewer steps leave less than 1 %, too: search for the first."),
    ]
    sides = (
        "Too few: with so short a chain the weight of the image is above 0.01.",
        "More than needed: with fewer steps the weight is below 0.01, too.",
    )
    return grade_value(
        answer, unscaled, mistakes, f"With T = {unscaled} the image's weight is below 0.01.", sides
    )


def check_shift(answer: object) -> Verdict:
    """answer(alpha_bar, d): alpha_bar of the schedule shifted for images d times as wide, at t = 1 ... T."""

    def right(alpha_bar: Tensor, d: float) -> Tensor:
        return alpha_bar / (alpha_bar + d**2 * (1 - alpha_bar))

    mistakes = [
        Mistake(
            lambda ab, d: ab / (ab + d * (1 - ab)),
            "You divided the SNR by d. An average over d x d pixels divides the noise's variance by d^2.",
        ),
        Mistake(
            lambda ab, d: d**2 * ab / (d**2 * ab + 1 - ab),
            "You raised the SNR. Averaging raises it, so the shift must lower it: divide by d^2.",
        ),
        Mistake(
            lambda ab, d: ab / d**2,
            "You divided alpha_bar by d^2. It is the SNR, alpha_bar / (1 - alpha_bar), that is divided.",
        ),
        Mistake(
            lambda ab, d: ab / (1 - ab) / d**2,
            "That is the SNR. Turn it back into alpha_bar = SNR / (1 + SNR).",
        ),
        Mistake(
            lambda ab, d: (ab / (1 - ab)).log() - 2 * math.log(d),
            "That is log SNR. Turn it back into alpha_bar: its sigmoid.",
        ),
        Mistake(
            lambda ab, d: d * ab / (d * ab + 1 - ab), "You raised the SNR, and by d: it is divided by d^2."
        ),
        Mistake(
            lambda ab, d: ab.sqrt() / d, "You divided the weight of the image by d: divide the SNR, by d^2."
        ),
        Mistake(
            lambda ab, d: 1 - (1 - ab) / d**2,
            "You divided the noise's variance by d^2, which averaging does. The shift has to undo it, in the SNR.",
        ),
        Mistake(
            lambda ab, d: (ab.logit() - d**2).sigmoid(),
            "In log SNR, a division by d^2 is the subtraction of log d^2, not of d^2.",
        ),
        Mistake(
            lambda ab, d: (ab.logit() / d**2).sigmoid(),
            "You divided log SNR. The SNR itself is divided by d^2.",
        ),
        Mistake(
            lambda ab, d: (ab.logit() - 2 * d).sigmoid(),
            "In log SNR, a division by d^2 is the subtraction of 2 log d, not of 2 d.",
        ),
    ]
    cases = [(make(50).alpha_bar[1:], d) for make, d in ((linear_schedule, 2.0), (cosine_schedule, 4.0))]
    return grade(answer, right, mistakes, cases, "The SNR is divided by d^2, at every t alike.")


def _share(T: int) -> float:
    return float(linear_schedule(T, rescale=False).alpha_bar[-1])


def _weight(T: int) -> float:
    return math.sqrt(_share(T))


@cache
def _smallest_T(left: Callable[[int], float]) -> int:
    return next(T for T in range(1, 2000) if left(T) < TERMINAL)
