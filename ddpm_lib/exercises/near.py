"""What an answer that no grader knows has in common with the right one: a factor, a root, a sign, the order."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import ABSOLUTE, RELATIVE, Function, as_tensors, close

UNKNOWN = "and not in a way that is known here"
ORDINALS = ("first", "second", "third", "fourth")


def likeness(given: Sequence[list[Tensor]], wanted: Sequence[list[Tensor]]) -> str | None:
    """The slip that makes all of `given`, case by case, out of all of `wanted`; None if there is no such slip."""
    if len(given[0]) > 1 and all(
        len(ours) == len(yours) and close(yours[::-1], ours)
        for yours, ours in zip(given, wanted, strict=True)
    ):
        return "Your parts are right, but in the wrong order: exchange them."
    yours, ours = (
        torch.cat([part.flatten() for parts in all_ for part in parts]) for all_ in (given, wanted)
    )
    told = ours[ours.abs() > ABSOLUTE]  # what is 0 tells no factor
    if len(told) < 2 or _equal(told, told[:1].expand_as(told)):
        return None
    factor = float((yours * ours).sum() / ours.square().sum())
    if abs(factor) > 1e-9 and _equal(yours, factor * ours, abs(factor)):
        return _of_factor(factor)
    positive = bool((ours > 0).all() and (yours > 0).all())
    if positive and _equal(yours.square(), ours):
        return "That is the square root of what was asked for: square it."
    if positive and _equal(yours, ours.square()):
        return "That is the square of what was asked for: take its root."
    if positive and _equal(1 / yours, ours):
        return "That is upside down: one over it is right."
    apart = yours - ours
    if _equal(apart, apart[:1].expand_as(apart)):
        return f"Right up to a sum: yours is off by {float(apart[0]):.4g} everywhere. What was counted once too often?"
    return None


def likeness_of_values(given: list[Tensor], wanted: list[Tensor], relative: float) -> str | None:
    """What numbers typed by hand have in common with the right ones: some of them, or a slip; None if nothing."""
    slips: tuple[tuple[Function, str], ...] = (
        (lambda x: -x, "Right but for the sign."),
        (lambda x: 1 / x, "That is upside down: one over it is right."),
        (lambda x: x.abs().sqrt(), "That is the square root of what was asked for: square it."),
        (lambda x: x.square(), "That is the square of what was asked for: take its root."),
        (lambda x: 1 - x, "That is 1 minus what was asked for."),
        (lambda x: 100 * x, "That is in percent: divide by 100."),
        (lambda x: 2 * x, "That is twice what was asked for."),
        (lambda x: x / 2, "That is half of what was asked for."),
    )
    for slip, message in slips:  # the same in every part
        if close(given, [slip(ours) for ours in wanted], relative):
            return message
    if len(wanted) > 1 and close(given, wanted[::-1], relative):
        return "Your parts are right, but in the wrong order: exchange them."
    right = [close([yours], [ours], relative) for yours, ours in zip(given, wanted, strict=True)]
    told = [f"the {name}" for name, found in zip(ORDINALS, right, strict=False) if found]
    return f"Right: {' and '.join(told)}. Look at the rest again." if told else None


def difference(
    given: Sequence[list[Tensor]], right: Function, cases: Sequence[tuple[Any, ...]], slip: str | None = None
) -> str:
    """The first case that is wrong, in words: its plain arguments, the largest error, one number of each, the slip."""
    for got, case in zip(given, cases, strict=True):
        wanted = as_tensors(right(*case))
        if not close(got, wanted):
            names = inspect.signature(right).parameters
            plain = [f"{k} = {v:g}" for k, v in zip(names, case, strict=False) if isinstance(v, int | float)]
            where = f"For {', '.join(plain)} the" if plain else "The"
            yours, ours = (torch.cat([part.flatten() for part in parts]) for parts in (got, wanted))
            worst = int((yours - ours).abs().argmax())
            return (
                f"{where} result is off by up to {error(got, wanted):.3g}{'' if slip else f', {UNKNOWN}'}: there "
                f"{ours[worst]:.4g} was expected, and yours is {yours[worst]:.4g}. {slip or 'Open the hint.'}"
            )
    raise AssertionError("nothing differs")


def error(a: list[Tensor], b: list[Tensor]) -> float:
    """The largest difference of two results."""
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


def _of_factor(factor: float) -> str:
    if math.isclose(factor, -1, rel_tol=RELATIVE):
        return "Right but for the sign."
    known = {1 / math.log(2): "1 / log 2", math.log(2): "log 2"}
    for value, name in known.items():
        if math.isclose(abs(factor), value, rel_tol=RELATIVE):
            return f"Right up to the factor {name}: you took a logarithm to another base than was asked for."
    shown = f"{factor:.4g}" if abs(factor) > 1 else f"1 / {1 / factor:.4g}"
    return (
        f"Right up to the factor {shown}, which is the same everywhere: is it counted twice, or is it a unit?"
    )


def _equal(a: Tensor, b: Tensor, scale: float = 1.0) -> bool:
    return torch.allclose(a, b, rtol=RELATIVE, atol=ABSOLUTE * min(scale, 1.0))
