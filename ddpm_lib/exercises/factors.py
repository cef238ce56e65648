"""A result that is right but for a factor or a sum which is made of one argument: which, and whether it is too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import ABSOLUTE, RELATIVE

Case = tuple[Any, ...]
MADE: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("{}", lambda x: x),
    ("sqrt({})", lambda x: x.sqrt()),
    ("{}^2", lambda x: x**2),
    ("(1 - {})", lambda x: 1 - x),
    ("sqrt(1 - {})", lambda x: (1 - x).sqrt()),
    ("(1 + {})", lambda x: 1 + x),
)


def factor(
    given: Sequence[list[Tensor]], wanted: Sequence[list[Tensor]], names: Sequence[str], cases: Sequence[Case]
) -> str | None:
    """A sentence on the factor, or the sum, by which all of `given` differ; None if no argument makes it."""
    if any(len(parts) != 1 for parts in [*given, *wanted]):
        return None
    yours, ours = ([parts[0] for parts in all_] for all_ in (given, wanted))
    if sum(part.numel() for part in ours) < 2:
        return None
    for name, values in _values(names, cases, ours):
        for shape, make in MADE:
            made, term = [make(value) for value in values], shape.format(name)
            if not all(bool(torch.isfinite(part).all()) for part in made):
                continue
            flat = torch.cat([part.flatten() for part in made])
            if _equal([flat], [torch.ones_like(flat)]):
                continue
            if _equal(yours, [a * b for a, b in zip(ours, made, strict=True)]):
                return f"Right but for a factor `{term}` that yours has, and should not have."
            if _equal([a * b for a, b in zip(yours, made, strict=True)], ours):
                return f"Right but for a factor `{term}` that yours lacks."
            if _equal(yours, [a + b for a, b in zip(ours, made, strict=True)]):
                return f"Right but for `{term}`, which is added and should not be."
            if _equal(yours, [a - b for a, b in zip(ours, made, strict=True)]):
                return f"Right but for `{term}`, which is missing from the sum."
    return _uneven(yours, ours)


def _values(
    names: Sequence[str], cases: Sequence[Case], ours: Sequence[Tensor]
) -> Iterator[tuple[str, list[Tensor]]]:
    """Each argument that may multiply the result, and what a table holds at each time; a value a case."""
    for i, name in enumerate(names):
        column = [case[i] for case in cases]
        if all(_fits(x, right) for x, right in zip(column, ours, strict=True)):
            yield name, [torch.as_tensor(x).double() for x in column]
        if all(isinstance(x, Tensor) and x.dim() == 1 and x.is_floating_point() for x in column):
            for j, index in enumerate(names):
                if all(type(case[j]) is int and 0 <= case[j] < len(case[i]) for case in cases):
                    yield f"{name}[{index}]", [case[i][case[j]].double() for case in cases]


def _fits(x: Any, right: Tensor) -> bool:
    if isinstance(x, bool):
        return False
    return isinstance(x, int | float) or (
        isinstance(x, Tensor) and x.dtype != torch.bool and (x.dim() == 0 or x.shape == right.shape)
    )


def _uneven(yours: Sequence[Tensor], ours: Sequence[Tensor]) -> str | None:
    """Within a case right up to a factor, and this factor is another one in the next case."""
    found = []
    for a, b in zip(yours, ours, strict=True):
        told = b.flatten()[b.flatten().abs() > ABSOLUTE]
        if len(told) < 2 or torch.allclose(told, told[:1].expand_as(told), RELATIVE):
            return None
        found.append(float((a * b).sum() / b.square().sum()))
        if abs(found[-1]) < 1e-9 or not _equal([a], [found[-1] * b]):
            return None
    if len(found) < 2:
        return None
    shown = ", ".join(f"{value:.4g}" for value in found)
    return (
        f"Case by case right up to a factor, but not always the same one: {shown}. Which argument makes it?"
    )


def _equal(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    return all(
        x.shape == y.shape and torch.allclose(x, y, RELATIVE, ABSOLUTE) for x, y in zip(a, b, strict=True)
    )
