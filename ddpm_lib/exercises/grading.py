"""How an answer is graded: against the right one, and against each wrong one that a reader is likely to give."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddpm_lib.exercises.answers import (
    RELATIVE,
    UNANSWERED,
    Function,
    Unusable,
    as_tensors,
    call,
    close,
    has_dots,
    kind,
    numbers,
)
from ddpm_lib.exercises.arguments import use
from ddpm_lib.exercises.near import UNKNOWN, difference, error, likeness, likeness_of_values

ROUNDED = 0.01  # a number may be rounded, as it is printed


@dataclass(frozen=True, repr=False)
class Verdict:
    """Whether an answer is right, and one or two sentences that say why; true when it is right."""

    correct: bool
    message: str

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return textwrap.fill(("Right. " if self.correct else "Not yet. ") + self.message, 76)


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer, called with the same arguments as the right one, and what to tell its author."""

    wrong: Function
    message: str


def grade(
    answer: object,
    right: Function,
    mistakes: Sequence[Mistake],
    cases: Sequence[tuple[Any, ...]],
    praise: str,
) -> Verdict:
    """Compare the function `answer` with `right`, then with each mistake in turn, on all `cases`."""
    if not callable(answer):
        return Verdict(
            False,
            f"A function is graded here, but this is {kind(answer)}: pass its name, without calling it.",
        )
    try:
        given = [call(answer, right, case) for case in cases]
    except Unusable as problem:
        return Verdict(False, str(problem))

    def matches(function: Function) -> bool:
        return all(close(got, as_tensors(function(*case))) for got, case in zip(given, cases, strict=True))

    if matches(right):
        return Verdict(True, praise)
    for mistake in mistakes:
        if matches(mistake.wrong):
            return Verdict(False, mistake.message)
    found = likeness(given, [as_tensors(right(*case)) for case in cases])
    return Verdict(False, found or difference(given, right, cases, use(answer, given, right, cases)))


def grade_value(
    answer: object, right: object, mistakes: Sequence[tuple[object, str]], praise: str
) -> Verdict:
    """Compare the number (or tuple of numbers) `answer` with `right`, then with each wrong value.

    A whole number must be exact; of any other, 1 % is granted, and of two values within it the nearer one counts.
    """
    if answer is None or has_dots(answer):
        return Verdict(False, UNANSWERED)
    try:
        given = numbers(answer, right, "The answer")
    except Unusable as problem:
        return Verdict(False, str(problem))
    whole = all(isinstance(part, int) for part in (right if isinstance(right, tuple) else (right,)))
    relative = RELATIVE if whole else ROUNDED
    near = [
        (error(given, as_tensors(value)), i)
        for i, value in enumerate([right, *(value for value, _ in mistakes)])
        if close(given, as_tensors(value), relative)
    ]
    if not near:
        off, found = error(given, as_tensors(right)), likeness_of_values(given, as_tensors(right), relative)
        far = f"The result is off by up to {off:.3g}"
        return Verdict(False, f"{far}. {found}" if found else f"{far}, {UNKNOWN}: open the hint.")
    _, first = min(near)
    return Verdict(True, praise) if first == 0 else Verdict(False, mistakes[first - 1][1])
