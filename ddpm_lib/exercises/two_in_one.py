"""Grader of the chapter on few steps: a student that learns nothing new, the debugging exercise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import Function
from ddpm_lib.exercises.few_steps import landing
from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_two_in_one(answer: object) -> Verdict:
    """answer(step, land, xt, t, m, s): the target of a student; step(x, t, s) is the teacher's, land(x, t, s, xs)."""

    def right(step: Function, land: Function, xt: Tensor, t: int, m: int, s: int) -> Tensor:
        end: Tensor = land(xt, t, s, step(step(xt, t, m), m, s))
        return end

    mistakes = [
        Mistake(
            lambda step, land, x, t, m, s: step(step(x, t, m), m, s),
            "That is where the teacher is after two steps, still noisy. Which x_0 leads there in one?",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(x, t, s)),
            "The teacher took one long step here: the student would learn what the teacher does already.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(step(x, t, m), m, s, step(step(x, t, m), m, s)),
            "The student stands at x_t, not where the first step ended: its one step starts at t.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(x, t, m)),
            "The second step of the teacher is missing.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(step(x, t, m), t, s)),
            "The second step begins at the time where the first one ended, m.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, m, step(step(x, t, m), m, s)),
            "The student's step goes all the way to s.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(step(x, t, m), m, 0)),
            "The teacher stops at s, not at 0: its second step goes from m to s.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(x, m, s)),
            "The second step starts where the first one ended, and not from x_t: step(step(xt, t, m), m, s).",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(step(x, t, m), t, s, step(step(x, t, m), m, s)),
            "The student starts from x_t: `land` is given xt, t and s.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, m, s, step(step(x, t, m), m, s)),
            "x_t is as noisy as at t: the student's one step goes from t to s.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(step(step(x, t, m), m, s), t, s, x),
            "Start and end have changed places: land(xt, t, s, end).",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(step(x, t, m), t, m)),
            "That is the first step twice. The second goes from m to s.",
        ),
        Mistake(
            lambda step, land, x, t, m, s: land(x, t, s, step(step(x, t, s), m, s)),
            "The first step goes from t to m, and the second from there to s.",
        ),
    ]
    alpha_bar = {t: math.cos(t / 20 * math.pi / 2) ** 2 for t in range(21)}

    def step(x: Tensor, t: int, s: int) -> Tensor:
        a, b = alpha_bar[t], alpha_bar[s]
        x0 = (math.sqrt(a) * x).tanh()
        return math.sqrt(b) * x0 + math.sqrt((1 - b) / (1 - a)) * (x - math.sqrt(a) * x0)

    def land(x: Tensor, t: int, s: int, xs: Tensor) -> Tensor:
        return landing(x, xs, alpha_bar[t], alpha_bar[s])

    draw = torch.Generator().manual_seed(1)
    xt = torch.randn(3, 4, generator=draw, dtype=torch.float64)
    cases = [(step, land, xt, 18, 12, 6), (step, land, xt, 10, 7, 2)]
    return grade(answer, right, mistakes, cases, "Two steps of the teacher in one of the student.")
