"""A reader's answer as numbers: called, brought into the expected shape, or refused with a sentence for the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Number
from typing import Any

import torch
from torch import Tensor

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # a reader's function may work in float32
UNANSWERED = "There is no answer yet: put it in the place of the dots and run the cell again."

Function = Callable[..., Any]


class Unusable(Exception):
    """The answer is not a number or an array of the expected shape; the message is for the reader."""


def call(answer: Function, right: Function, case: tuple[Any, ...]) -> list[Tensor]:
    """What the reader's function makes of a copy of `case`, in the shapes that `right` returns."""
    copies = [argument.clone() if isinstance(argument, Tensor) else argument for argument in case]
    try:
        result = answer(*copies)
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise Unusable(f"Your function raised {type(error).__name__}: {reason}.") from error
    if isinstance(result, Iterator):  # a generator, a map
        result = list(result)
    if has_dots(result):
        raise Unusable(UNANSWERED)
    if result is None:
        raise Unusable("Your function returned None: write its body and end it with `return`.")
    return numbers(result, right(*case), "Your function's result")


def numbers(answer: object, expected: object, what: str) -> list[Tensor]:
    """The answer as float64 tensors of the expected shapes."""
    wanted = as_tensors(expected)
    parts = _parts(answer, wanted) if isinstance(expected, tuple) else [answer]
    if len(parts) != len(wanted):
        raise Unusable(f"{what} should be {len(wanted)} numbers in a tuple, but it is {kind(answer)}.")
    given = [_tensor(part, what) for part in parts]
    if _fitting(given, wanted) is None and _fitting(given[::-1], wanted) is not None:
        raise Unusable(f"{what} holds its parts in the wrong order: exchange them.")
    for tensor, target in zip(given, wanted, strict=True):
        if _fit(tensor, target) is None:
            wrong = f"{what} has shape {tuple(tensor.shape)}, but {tuple(target.shape)} was expected"
            if not target.dim():
                raise Unusable(f"{wrong}, one number: take the sum, the mean or the entry that is asked for.")
            raise Unusable(f"{wrong}: check what is broadcast against what.")
        if not bool(torch.isfinite(tensor).all()):
            raise Unusable(
                f"{what} holds NaN or infinite values: look for a division by 0, the logarithm of 0 or the root of a "
                "negative number."
            )
    return _fitting(given, wanted) or []


def as_tensors(value: object) -> list[Tensor]:
    """The parts of a right or a known wrong result, in float64; a ValueError where one is complex."""
    parts = [torch.as_tensor(part) for part in (value if isinstance(value, tuple) else (value,))]
    if any(part.is_complex() for part in parts):  # the root of a negative number, in plain Python
        raise ValueError(
            "A result is complex, and real numbers were expected: look for the root of a negative one."
        )
    return [part.to(torch.float64) for part in parts]


def close(a: list[Tensor], b: list[Tensor], relative: float = RELATIVE) -> bool:
    """Whether all parts are equal, but for rounding."""
    return len(a) == len(b) and all(
        x.shape == y.shape and torch.allclose(x, y, rtol=relative, atol=ABSOLUTE)
        for x, y in zip(a, b, strict=True)
    )


def kind(value: object) -> str:
    """What a value is, for the middle of a sentence."""
    return "None" if value is None else f"of type {type(value).__name__}"


def has_dots(value: object) -> bool:
    """Whether the dots of the exercise are still there."""
    return any(part is ... for part in (value if isinstance(value, tuple | list) else [value]))


def _parts(answer: object, wanted: list[Tensor]) -> list[Any]:
    """Those of a tuple or a list, or of an array of as many numbers as are wanted."""
    several = isinstance(answer, tuple | list) or tuple(getattr(answer, "shape", ())) == (len(wanted),)
    return list(answer) if several else [answer]  # type: ignore[call-overload]


def _tensor(part: object, what: str) -> Tensor:
    try:
        if isinstance(part, Number) and not isinstance(part, int | float | complex):
            part = float(part)  # type: ignore[arg-type]  # a fraction, a decimal number
        if isinstance(part, tuple | list) and part and all(isinstance(row, Tensor) for row in part):
            part = torch.stack(list(part))
        tensor = torch.as_tensor(part).detach().cpu()
        if tensor.is_complex():
            raise TypeError("complex")
        return tensor.to(torch.float64)
    except Exception as error:
        raise Unusable(f"{what} should be made of numbers, but it is {kind(part)}.") from error


def _fitting(given: list[Tensor], wanted: list[Tensor]) -> list[Tensor] | None:
    fitted = [_fit(tensor, target) for tensor, target in zip(given, wanted, strict=True)]
    found = [tensor for tensor in fitted if tensor is not None]
    return found if len(found) == len(wanted) else None


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
