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
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


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
    if _equal(1 - yours, ours):
        return "That is 1 minus what was asked for."
    if _equal(yours, ours.abs()):
        return "Right but for an absolute value: a sign is lost."
    if positive and _equal(yours, ours.log()):
        return "That is the logarithm of what was asked for."
    if _equal(yours, ours.clamp(max=80).exp()):
        return "That is e to the power of what was asked for: take its logarithm."
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
        (lambda x: 10 * x, "That is ten times what was asked for: look at the decimal point."),
        (lambda x: x / 10, "That is a tenth of what was asked for: look at the decimal point."),
        (lambda x: 2 * x, "That is twice what was asked for."),
        (lambda x: x / 2, "That is half of what was asked for."),
        (lambda x: x * math.log(2), "Right up to the factor log 2: nats and bits are mixed up."),
        (lambda x: x / math.log(2), "Right up to the factor 1 / log 2: nats and bits are mixed up."),
    )
    for slip, message in slips:  # the same in every part
        if close(given, [slip(ours) for ours in wanted], relative):
            return message
    for off, more in (1, "more"), (-1, "less"):
        if close(given, [ours + off for ours in wanted], RELATIVE):
            return f"That is 1 {more} than what was asked for."
    if len(wanted) == 1:
        return None
    if close(given, wanted[::-1], relative):
        return "Your parts are right, but in the wrong order: exchange them."
    both = list(zip(given, wanted, strict=True))
    good = [i for i, (yours, ours) in enumerate(both) if close([yours], [ours], relative)]
    found = [likeness_of_values([yours], [ours], relative) for yours, ours in both]
    told = [f"Of {ordinals([i])}: {slip}" for i, slip in enumerate(found) if slip and i not in good]
    if good and not told:
        told = ["Look at the rest again."]
    return " ".join([f"Right: {ordinals(good)}."] * bool(good) + told) or None


def wrong_parts(given: Sequence[list[Tensor]], wanted: Sequence[list[Tensor]]) -> list[int]:
    """Which of the parts of a result are wrong in some case."""
    both = list(zip(given, wanted, strict=True))
    return [j for j in range(len(wanted[0])) if not all(close([a[j]], [b[j]]) for a, b in both)]


def ordinals(places: Sequence[int]) -> str:
    """Places in a tuple, in words: the first and the third."""
    return " and ".join(f"the {ORDINALS[i]}" for i in places)


def difference(
    given: Sequence[list[Tensor]], right: Function, cases: Sequence[tuple[Any, ...]], slip: str | None = None
) -> str:
    """The first case that is wrong, in words: its plain arguments, the largest error, one number of each, the slip.

    Where other cases, or other entries of a table, are right, that is said: the formula is, and an end of it is not.
    """
    for got, case in zip(given, cases, strict=True):
        wanted = as_tensors(right(*case))
        if not close(got, wanted):
            plain = _plain(right, case)
            where = f"For {', '.join(plain)} the" if plain else "The"
            yours, ours = (torch.cat([part.flatten() for part in parts]) for parts in (got, wanted))
            worst = int((yours - ours).abs().argmax())
            known = slip or _partly(given, right, cases) or _entries(yours, ours, right, case)
            return (
                f"{where} result is off by up to {error(got, wanted):.3g}{'' if known else f', {UNKNOWN}'}: there "
                f"{ours[worst]:.4g} was expected, and yours is {yours[worst]:.4g}. {known or 'Open the hint.'}"
            )
    raise AssertionError("nothing differs")


def _plain(right: Function, case: tuple[Any, ...]) -> list[str]:
    """The arguments of a case that are numbers, with their names."""
    names = inspect.signature(right).parameters
    return [f"{k} = {v:g}" for k, v in zip(names, case, strict=False) if isinstance(v, int | float)]


def _partly(given: Sequence[list[Tensor]], right: Function, cases: Sequence[tuple[Any, ...]]) -> str | None:
    """In which of several cases the result is right, if it is in some."""
    good = [case for got, case in zip(given, cases, strict=True) if close(got, as_tensors(right(*case)))]
    shown = [", ".join(_plain(right, case)) for case in good]
    if not good or not all(shown):
        return None
    return f"It is right for {'; '.join(shown)}: what is different here?"


def _entries(yours: Tensor, ours: Tensor, right: Function, case: tuple[Any, ...]) -> str | None:
    """Where a table is right and where it is not, by the argument whose entries it answers."""
    good = (yours - ours).abs() <= ABSOLUTE + RELATIVE * ours.abs()
    if len(ours) < 3 or int(good.sum()) < len(ours) / 5:
        return None
    first = int((~good).int().argmax())
    for name, x in zip(inspect.signature(right).parameters, case, strict=False):
        if isinstance(x, Tensor) and x.dim() == 1 and x.shape == ours.shape and x.is_floating_point():
            last = int(good.int().argmax())
            return (
                f"It is right where {name} = {float(x[last]):.4g}, and wrong where {name} = {float(x[first]):.4g}: "
                "what is different there?"
            )
    return f"Of its {len(ours)} entries {int(good.sum())} are right; the first wrong one is number {first}, from 0."


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
