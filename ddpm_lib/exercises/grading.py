"""How an answer is graded: against the right one, and against each wrong one that a reader is likely to give."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # a reader may work in float32

UNANSWERED = "There is no answer yet: put it in the place of the dots and run the cell again."

Function = Callable[..., Any]


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


class Unusable(Exception):
    """The answer is not a number or an array of the expected shape; the message is for the reader."""


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
            f"A function is graded here, but this is {_kind(answer)}: pass its name, without calling it.",
        )
    try:
        given = [_call(answer, right, case) for case in cases]
    except Unusable as error:
        return Verdict(False, str(error))
    return _compare(given, right, mistakes, cases, praise)


def grade_value(
    answer: object, right: object, mistakes: Sequence[tuple[object, str]], praise: str
) -> Verdict:
    """Compare the number (or tuple of numbers) `answer` with `right`, then with each wrong value."""
    if answer is None or _has_dots(answer):
        return Verdict(False, UNANSWERED)
    try:
        given = _numbers(answer, right, "The answer")
    except Unusable as error:
        return Verdict(False, str(error))
    wrong = [Mistake(lambda value=value: value, message) for value, message in mistakes]
    return _compare([given], lambda: right, wrong, [()], praise)


def _compare(
    given: list[list[Tensor]],
    right: Function,
    mistakes: Sequence[Mistake],
    cases: Sequence[tuple[Any, ...]],
    praise: str,
) -> Verdict:
    def matches(function: Function) -> bool:
        return all(_close(got, _tensors(function(*case))) for got, case in zip(given, cases, strict=True))

    if matches(right):
        return Verdict(True, praise)
    for mistake in mistakes:
        if matches(mistake.wrong):
            return Verdict(False, mistake.message)
    return Verdict(False, _difference(given, right, cases))


def _call(answer: Function, right: Function, case: tuple[Any, ...]) -> list[Tensor]:
    copies = [argument.clone() if isinstance(argument, Tensor) else argument for argument in case]
    try:
        result = answer(*copies)
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise Unusable(f"Your function raised {type(error).__name__}: {reason}.") from error
    if _has_dots(result):
        raise Unusable(UNANSWERED)
    if result is None:
        raise Unusable("Your function returned None: write its body and end it with `return`.")
    return _numbers(result, right(*case), "Your function's result")


def _numbers(answer: object, expected: object, what: str) -> list[Tensor]:
    """The answer as float64 tensors of the expected shapes."""
    wanted = _tensors(expected)
    parts = list(answer) if isinstance(answer, tuple | list) and isinstance(expected, tuple) else [answer]
    if len(parts) != len(wanted):
        raise Unusable(f"{what} should be {len(wanted)} numbers in a tuple, but it is {_kind(answer)}.")
    tensors = []
    for part, target in zip(parts, wanted, strict=True):
        try:
            tensor = torch.as_tensor(part).detach().cpu().to(torch.float64)
        except (TypeError, ValueError, RuntimeError) as error:
            raise Unusable(f"{what} should be made of numbers, but it is {_kind(part)}.") from error
        if tensor.numel() != target.numel() or tensor.squeeze().shape != target.squeeze().shape:
            raise Unusable(
                f"{what} has shape {tuple(tensor.shape)}, but {tuple(target.shape)} was expected: "
                "check what is broadcast against what."
            )
        if not bool(torch.isfinite(tensor).all()):
            raise Unusable(
                f"{what} holds NaN or infinite values: look for a division by 0 or the root of a negative number."
            )
        tensors.append(tensor.reshape(target.shape))
    return tensors


def _tensors(value: object) -> list[Tensor]:
    parts = value if isinstance(value, tuple) else (value,)
    return [torch.as_tensor(part).to(torch.float64) for part in parts]


def _close(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(
        x.shape == y.shape and torch.allclose(x, y, rtol=RELATIVE, atol=ABSOLUTE)
        for x, y in zip(a, b, strict=True)
    )


def _difference(given: list[list[Tensor]], right: Function, cases: Sequence[tuple[Any, ...]]) -> str:
    """The first case that is wrong, in words: its plain arguments and the largest error."""
    for got, case in zip(given, cases, strict=True):
        wanted = _tensors(right(*case))
        if not _close(got, wanted):
            error = max(float((x - y).abs().max()) for x, y in zip(got, wanted, strict=True))
            names = inspect.signature(right).parameters
            plain = [f"{k} = {v:g}" for k, v in zip(names, case, strict=False) if isinstance(v, int | float)]
            where = f"For {', '.join(plain)} the" if plain else "The"
            return f"{where} result is off by up to {error:.3g}, and not in a way that is known here: open the hint."
    raise AssertionError("nothing differs")


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _has_dots(value: object) -> bool:
    return any(part is ... for part in (value if isinstance(value, tuple | list) else [value]))
