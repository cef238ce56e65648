"""Grader of a measurement in the chapter on guidance: the weight that repairs a network which half hears the label."""

from __future__ import annotations

from ddpm_lib.exercises.grading import Verdict, grade_value
from ddpm_lib.exercises.tolerance import nearest

HEARD = 0.4  # the share of what the label changes that the exercise's network has learned
SHARE = 0.02  # a measured weight may be off by this much


def check_repairing_weight(answer: object) -> Verdict:
    """answer: the w at which eps(null) + 0.4 (eps(y) - eps(null)), guided, draws what eps(y) draws; 2 % off at most."""
    right = 1 / HEARD - 1
    mistakes: list[tuple[object, str]] = [
        (right + 1, "That is 1 + w, the whole factor, and the scale of the other convention. Subtract 1."),
        (HEARD, "That is the share that the network has learned. By what must it be multiplied to be 1?"),
        (
            1 - HEARD,
            "That is the share that is missing. It is made up by a multiple of the share that is there.",
        ),
        (
            0.0,
            "Without guidance the walk follows 40 % of the difference, and many points end in the other moon.",
        ),
        (1.0, "Better, but not all: with w = 1 the walk follows 80 % of the difference."),
        (2.0, "Too far: with w = 2 the walk follows 120 % of the difference, and the tip is lost."),
        (-right, "A negative weight takes away even more of what the label changes."),
    ]
    values = [right, *(float(wrong) for wrong, _ in mistakes if wrong)]  # type: ignore[arg-type]
    praise = "(1 + w) 0.4 = 1. The more of the label a network has learned, the less is left for w to repair."
    sides = (
        "Too weak: with it less than the whole difference is followed.",
        "Too strong: with it more than the whole difference is followed.",
    )
    return grade_value(nearest(answer, values, SHARE), right, mistakes, praise, sides)
