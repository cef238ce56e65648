"""How an answer is graded: against the right one, and against each wrong one that a reader is likely to give."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from torch import Tensor

from ddpm_lib.exercises.answers import (
    ABSOLUTE,
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
from ddpm_lib.exercises.arguments import names_of, use
from ddpm_lib.exercises.factors import factor
from ddpm_lib.exercises.near import (
    UNKNOWN,
    difference,
    error,
    likeness,
    likeness_of_values,
    ordinals,
    wrong_parts,
)
from ddpm_lib.exercises.weights import weights

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
    return Verdict(False, _explained(answer, given, right, cases))


def _explained(
    answer: Function, given: Sequence[list[Tensor]], right: Function, cases: Sequence[tuple[Any, ...]]
) -> str:
    """What a result that no grader knows has in common with the right one, or how far off it is."""
    wanted = [as_tensors(right(*case)) for case in cases]
    if all(bool((part.abs() <= ABSOLUTE).all()) for parts in given for part in parts):
        return difference(given, right, cases, "Your result is 0 in every case, up to rounding.")
    found = likeness(given, wanted)
    if found:
        return found
    wrong = wrong_parts(given, wanted)
    if len(wrong) == 1 < len(wanted[0]):
        (j,) = wrong
        rest = [i for i in range(len(wanted[0])) if i != j]

        @wraps(answer)
        def your_part(*case: Any) -> Any:
            return call(answer, right, case)[j]

        @wraps(right)
        def our_part(*case: Any) -> Any:
            return as_tensors(right(*case))[j]

        told = _explained(your_part, [[parts[j]] for parts in given], our_part, cases)
        return f"Right: {ordinals(rest)}. Of {ordinals([j])}: {told}"
    names = names_of(answer, right, len(cases[0]))
    slip = use(answer, given, right, cases) or weights(given, wanted, names, cases)
    return difference(given, right, cases, slip or factor(given, wanted, names, cases))


def grade_value(
    answer: object,
    right: object,
    mistakes: Sequence[tuple[object, str]],
    praise: str,
    sides: tuple[str, str] | None = None,
) -> Verdict:
    """Compare the number (or tuple of numbers) `answer` with `right`, then with each wrong value.

    A whole number must be exact; of any other, 1 % is granted, and of two values within it the nearer one counts.
    `sides` is what to say of any other number that is too small, and of one that is too large.
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
        if sides and not found:
            found = sides[bool(given[0] > as_tensors(right)[0])]
        far = f"The result is off by up to {off:.3g}"
        return Verdict(False, f"{far}. {found}" if found else f"{far}, {UNKNOWN}: open the hint.")
    _, first = min(near)
    return Verdict(True, praise) if first == 0 else Verdict(False, mistakes[first - 1][1])
