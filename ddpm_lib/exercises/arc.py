"""The grader of the arc between two noises, of the chapter on editing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lib.evaluate.editing import slerp
from ddpm_lib.exercises.grading import Mistake, Verdict, grade


def check_slerp(answer: object) -> Verdict:
    """answer(a, b, share): on the arc from a to b, vectors of one dimension; share 0 is a."""

    def right(a: Tensor, b: Tensor, share: float) -> Tensor:
        return slerp(a[None], b[None], share)[0]

    mistakes = [
        Mistake(
            lambda a, b, share: (1 - share) * a + share * b,
            "That is the straight line: its middle is too short to be noise.",
        ),
        Mistake(lambda a, b, share: right(b, a, share), "share = 0 should give a, and 1 should give b."),
        Mistake(
            lambda a, b, share: math.sqrt(1 - share) * a + math.sqrt(share) * b,
            "That keeps the length where a and b are at a right angle; use the angle between them.",
        ),
        Mistake(
            lambda a, b, share: right(a, b, share) * torch.sin(_angle(a, b)),
            "Divide by the sine of the whole angle.",
        ),
        Mistake(
            lambda a, b, share: torch.cos(share * _angle(a, b)) * a + torch.sin(share * _angle(a, b)) * b,
            "cos and sin of the angle are right where b is at a right angle to a, which it is not.",
        ),
        Mistake(
            lambda a, b, share: _on_arc(a, b, share, (a @ b).clamp(-1, 1).acos()),
            "The cosine of the angle is a . b over both lengths: divide by them.",
        ),
        Mistake(
            lambda a, b, share: _as_long(a, (1 - share) * a + share * b),
            "Lengthened, the straight line is on the arc, but not at this share of the angle.",
        ),
    ]
    draw = torch.Generator().manual_seed(1)
    a, b = torch.randn(2, 6, generator=draw, dtype=torch.float64)
    cases = [(a, b, 0.25), (a, b, 0.5), (a, b, 1.0)]
    return grade(answer, right, mistakes, cases, "The two ends of the arc, and noise all the way.")


def _as_long(a: Tensor, x: Tensor) -> Tensor:
    long: Tensor = x * (a.norm() / x.norm())
    return long


def _angle(a: Tensor, b: Tensor) -> Tensor:
    cosine: Tensor = a @ b / (a.norm() * b.norm())
    return cosine.acos()


def _on_arc(a: Tensor, b: Tensor, share: float, angle: Tensor) -> Tensor:
    x: Tensor = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    return x
