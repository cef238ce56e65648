"""How an answer is graded: against the right one, and against each wrong one that a reader is likely to give."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# A reader's function may work in float32; a number may be rounded, as it is printed.
RELATIVE, ROUNDED, ABSOLUTE = 1e-4, 0.01, 1e-6
UNANSWERED = "There is no answer yet: put it in the place of the dots and run the cell again."
UNKNOWN = "and not in a way that is known here"

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

    def matches(function: Function) -> bool:
        return all(_close(got, _tensors(function(*case))) for got, case in zip(given, cases, strict=True))

    if matches(right):
        return Verdict(True, praise)
    for mistake in mistakes:
        if matches(mistake.wrong):
            return Verdict(False, mistake.message)
    return Verdict(False, _difference(given, right, cases))


def grade_value(
    answer: object, right: object, mistakes: Sequence[tuple[object, str]], praise: str
) -> Verdict:
    """Compare the number (or tuple of numbers) `answer` with `right`, then with each wrong value.

    A whole number must be exact; of any other, 1 % is granted, and of two values within it the nearer one counts.
    """
    if answer is None or _has_dots(answer):
        return Verdict(False, UNANSWERED)
    try:
        given = _numbers(answer, right, "The answer")
    except Unusable as error:
        return Verdict(False, str(error))
    whole = all(isinstance(part, int) for part in (right if isinstance(right, tuple) else (right,)))
    relative = RELATIVE if whole else ROUNDED
    near = [
        (_error(given, _tensors(value)), i)
        for i, value in enumerate([right, *(value for value, _ in mistakes)])
        if _close(given, _tensors(value), relative)
    ]
    if not near:
        off = _error(given, _tensors(right))
        return Verdict(False, f"The result is off by up to {off:.3g}, {UNKNOWN}: open the hint.")
    _, first = min(near)
    return Verdict(True, praise) if first == 0 else Verdict(False, mistakes[first - 1][1])


def _call(answer: Function, right: Function, case: tuple[Any, ...]) -> list[Tensor]:
    copies = [argument.clone() if isinstance(argument, Tensor) else argument for argument in case]
    try:
        result = answer(*copies)
    except (Exception, SystemExit) as error:
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
            tensor = torch.as_tensor(part).detach().cpu()
            if tensor.is_complex():
                raise TypeError("complex")
            tensor = tensor.to(torch.float64)
        except Exception as error:
            raise Unusable(f"{what} should be made of numbers, but it is {_kind(part)}.") from error
        fitted = _fit(tensor, target)
        if fitted is None:
            raise Unusable(
                f"{what} has shape {tuple(tensor.shape)}, but {tuple(target.shape)} was expected: "
                "check what is broadcast against what."
            )
        if not bool(torch.isfinite(tensor).all()):
            raise Unusable(
                f"{what} holds NaN or infinite values: look for a division by 0 or the root of a negative number."
            )
        tensors.append(fitted)
    return tensors


def _fit(tensor: Tensor, target: Tensor) -> Tensor | None:
    """`tensor` in the shape of `target`, where axes of length 1 or mere copies along an axis are all that differs."""
    if tensor.squeeze().shape == target.squeeze().shape:
        return tensor.reshape(target.shape)
    shape = (1,) * (tensor.dim() - target.dim()) + tuple(target.shape)
    if (
        not tensor.numel()
        or len(shape) != tensor.dim()
        or any(a not in (1, b) for a, b in zip(shape, tensor.shape, strict=True))
    ):
        return None
    once = tensor[tuple(slice(0, a) for a in shape)]
    return once.reshape(target.shape) if torch.equal(once.expand_as(tensor), tensor) else None


def _tensors(value: object) -> list[Tensor]:
    parts = value if isinstance(value, tuple) else (value,)
    return [torch.as_tensor(part).to(torch.float64) for part in parts]


def _close(a: list[Tensor], b: list[Tensor], relative: float = RELATIVE) -> bool:
    return len(a) == len(b) and all(
        x.shape == y.shape and torch.allclose(x, y, rtol=relative, atol=ABSOLUTE)
        for x, y in zip(a, b, strict=True)
    )


def _error(a: list[Tensor], b: list[Tensor]) -> float:
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


def _difference(given: list[list[Tensor]], right: Function, cases: Sequence[tuple[Any, ...]]) -> str:
    """The first case that is wrong, in words: its plain arguments, the largest error, one number of each."""
    for got, case in zip(given, cases, strict=True):
        wanted = _tensors(right(*case))
        if not _close(got, wanted):
            names = inspect.signature(right).parameters
            plain = [f"{k} = {v:g}" for k, v in zip(names, case, strict=False) if isinstance(v, int | float)]
            where = f"For {', '.join(plain)} the" if plain else "The"
            yours, ours = (torch.cat([part.flatten() for part in parts]) for parts in (got, wanted))
            worst = int((yours - ours).abs().argmax())
            return (
                f"{where} result is off by up to {_error(got, wanted):.3g}, {UNKNOWN}: there {ours[worst]:.4g} was "
                f"expected, and yours is {yours[worst]:.4g}. Open the hint."
            )
    raise AssertionError("nothing differs")


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _has_dots(value: object) -> bool:
    return any(part is ... for part in (value if isinstance(value, tuple | list) else [value]))
