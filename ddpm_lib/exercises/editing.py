"""Graders of the chapter on editing: calls, what is kept, the way back, where it forgets."""

from __future__ import annotations

import torch
from torch import Tensor

from ddpm_lib.exercises.grading import Mistake, Verdict, grade, grade_value
from ddpm_lib.schedule import linear_schedule


def check_edit_calls(answer: object) -> Verdict:
    """answer: (calls from t = 300 in strides of 10, calls of 50 steps that are each taken 5 times)."""
    mistakes: list[tuple[object, str]] = [
        ((50, 250), "The walk begins at t = 300, not at 500: count the strides from there to 0."),
        ((31, 250), "There are 31 times from 300 to 0, and 30 steps between them."),
        ((300, 250), "That is a call for every time. The walk takes every tenth."),
        ((30, 50), "Each of the 50 steps is taken five times, and each time the network is asked."),
        ((30, 200), "Four of the five are repetitions, but the first one asks the network as well."),
        ((250, 30), "Both are right, in the other order."),
    ]
    return grade_value(
        answer, (30, 250), mistakes, "A late start saves calls, and resampling multiplies them."
    )


def check_replace(answer: object) -> Verdict:
    """answer(guessed, x0, known, alpha_bar_s, z): x_s with its known entries as noisy as x_s is; tensors alike."""

    def right(guessed: Tensor, x0: Tensor, known: Tensor, alpha_bar_s: float, z: Tensor) -> Tensor:
        return torch.where(known, alpha_bar_s**0.5 * x0 + (1 - alpha_bar_s) ** 0.5 * z, guessed)

    mistakes = [
        Mistake(
            lambda guessed, x0, known, ab, z: torch.where(known, x0, guessed),
            "The known entries are clean and the others noisy: the network never saw such a picture. Noise them to s.",
        ),
        Mistake(
            lambda guessed, x0, known, ab, z: right(guessed, x0, ~known, ab, z),
            "The other way round: `known` is True where x0 is kept.",
        ),
        Mistake(
            lambda guessed, x0, known, ab, z: torch.where(known, ab * x0 + (1 - ab) * z, guessed),
            "alpha_bar and 1 - alpha_bar belong to variances: take their roots.",
        ),
        Mistake(
            lambda guessed, x0, known, ab, z: torch.where(known, ab**0.5 * x0 + (1 - ab) * z, guessed),
            "1 - alpha_bar is the variance of the noise: multiply z by its root.",
        ),
        Mistake(
            lambda guessed, x0, known, ab, z: torch.where(known, ab**0.5 * x0, guessed),
            "Shrunk, but without the noise that x_s has.",
        ),
        Mistake(
            lambda guessed, x0, known, ab, z: ab**0.5 * x0 + (1 - ab) ** 0.5 * z,
            "That is x_s of the whole of x0: keep the guess where x0 is not known.",
        ),
    ]
    draw = torch.Generator().manual_seed(0)
    guessed, x0, z = torch.randn(3, 2, 4, 4, generator=draw, dtype=torch.float64)
    known = torch.rand(2, 4, 4, generator=draw) < 0.5
    cases = [(guessed, x0, known, 0.3, z), (guessed, x0, known, 1.0, z)]
    return grade(answer, right, mistakes, cases, "As noisy as the rest, and exact at s = 0.")


def check_invert_step(answer: object) -> Verdict:
    """answer(xs, sigma_s, sigma_t, root_s, root_t, eps_hat): x_t on the ODE; the roots are sqrt(alpha_bar)."""
    Case = tuple[Tensor, float, float, float, float, Tensor]
    ab = linear_schedule(100).alpha_bar

    def case(s: int, t: int) -> Case:
        draw = torch.Generator().manual_seed(s)
        xs, eps = torch.randn(2, 3, 4, generator=draw, dtype=torch.float64)
        sigma = ((1 - ab) / ab).sqrt()
        return xs, float(sigma[s]), float(sigma[t]), float(ab[s].sqrt()), float(ab[t].sqrt()), eps

    def right(
        xs: Tensor, sigma_s: float, sigma_t: float, root_s: float, root_t: float, eps: Tensor
    ) -> Tensor:
        return root_t * (xs / root_s + (sigma_t - sigma_s) * eps)

    mistakes = [
        Mistake(
            lambda xs, ss, st, rs, rt, eps: right(xs, st, ss, rs, rt, eps),
            "The noise grows on this way: sigma_t - sigma_s, which is positive.",
        ),
        Mistake(
            lambda xs, ss, st, rs, rt, eps: rt * (xs + (st - ss) * eps),
            "The line is straight for u = x / sqrt(alpha_bar): divide x_s by its root first.",
        ),
        Mistake(
            lambda xs, ss, st, rs, rt, eps: xs / rs + (st - ss) * eps,
            "That is u_t. Multiply by sqrt(alpha_bar_t) for x_t.",
        ),
        Mistake(
            lambda xs, ss, st, rs, rt, eps: rt * xs / rs + (st - ss) * eps,
            "The noise that is added belongs to u_t as well: multiply the whole of it by sqrt(alpha_bar_t).",
        ),
        Mistake(
            lambda xs, ss, st, rs, rt, eps: rt * (xs / rs + st * eps),
            "x_s has sigma_s of noise already: only the difference is added.",
        ),
        Mistake(
            lambda xs, ss, st, rs, rt, eps: rs * (xs / rs + (st - ss) * eps),
            "Shrink by the root of the time that you arrive at.",
        ),
    ]
    cases = [case(s, t) for s, t in ((0, 20), (30, 70))]
    return grade(answer, right, mistakes, cases, "Euler's step, with the noise growing.")


def check_forgets(answer: object) -> Verdict:
    """answer: the first of the chapter's starts from which most of the threes come back as eights."""
    mistakes: list[tuple[object, str]] = [
        (350, "At 350 only a third are called 8, though fewer than half are still called 3."),
        (300, "A few come back as eights there, but most are still called 3."),
        (250, "From there as good as none comes back as an eight."),
        (450, "There is an earlier one among the starts in the table."),
        (500, "At 500 nothing is left of the three at all. Most are eights earlier."),
        (0.5, "A starting time is asked for, one of `starts`. One half is the share to look for."),
    ]
    sides = (
        "From there most of them are still no eights: start later.",
        "There is an earlier one among the starts in the table.",
    )
    return grade_value(
        answer, 400, mistakes, "Below it the picture's shape decides, above it the label.", sides
    )
