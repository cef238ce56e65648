"""The weight of each tensor in the sum that an answer makes of them, beside the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import ABSOLUTE, RELATIVE

Case = tuple[Any, ...]


def weights(
    given: Sequence[list[Tensor]], wanted: Sequence[list[Tensor]], names: Sequence[str], cases: Sequence[Case]
) -> str | None:
    """A sentence on the weights of a sum that is wrong in some of them; None where the right result is no such sum."""
    if any(len(parts) != 1 for parts in [*given, *wanted]):
        return None
    for split in (_whole, _by_row):
        found = _both(split, given, wanted, cases)
        if found is not None:
            return _told(*found, names)
    return None


Rows = list[
    tuple[list[Tensor], Tensor, Tensor]
]  # the tensors that are added, the reader's sum and the right one


def _whole(case: Case, terms: Sequence[int], yours: Tensor, ours: Tensor) -> Rows:
    return [([case[i] for i in terms], yours, ours)]


def _by_row(case: Case, terms: Sequence[int], yours: Tensor, ours: Tensor) -> Rows:
    """Image by image, as each may have a time of its own."""
    if yours.dim() < 2:
        return []
    return [([case[i][k] for i in terms], yours[k], ours[k]) for k in range(len(yours))]


def _both(
    split: Callable[[Case, Sequence[int], Tensor, Tensor], Rows],
    given: Sequence[list[Tensor]],
    wanted: Sequence[list[Tensor]],
    cases: Sequence[Case],
) -> tuple[list[int], Tensor, Tensor] | None:
    """(places of the tensors among the arguments, the reader's weights, the right ones), a row for each sum."""
    shape = wanted[0][0].shape
    terms = [
        i
        for i, x in enumerate(cases[0])
        if isinstance(x, Tensor) and x.is_floating_point() and x.shape == shape and x.dim()
    ]
    if not 2 <= len(terms) <= 4:
        return None
    yours: list[Tensor] = []
    ours: list[Tensor] = []
    for (mine,), (right,), case in zip(given, wanted, cases, strict=True):
        if any(case[i].shape != right.shape for i in terms):
            return None
        for parts, got, due in split(case, terms, mine, right):
            table = torch.stack([part.double().flatten() for part in parts], dim=1)
            if len(table) <= len(terms):
                return None
            for results, result in ((yours, got), (ours, due)):
                weight = torch.linalg.lstsq(table, result.flatten()[:, None]).solution
                if not torch.allclose(table @ weight, result.flatten()[:, None], RELATIVE, ABSOLUTE):
                    return None
                results.append(weight.flatten())
    return (terms, torch.stack(yours), torch.stack(ours)) if yours else None


def _told(terms: Sequence[int], yours: Tensor, ours: Tensor, names: Sequence[str]) -> str | None:
    wrong = [j for j in range(len(terms)) if not _equal(yours[:, j], ours[:, j])]
    right = [f"`{names[terms[j]]}`" for j in range(len(terms)) if j not in wrong]
    told = [f"the weight of `{names[terms[j]]}` {_relation(j, yours, ours, terms, names)}" for j in wrong]
    if right:
        told.insert(0, f"the weight{'s' * (len(right) > 1)} of {' and '.join(right)} {_are(right)} right")
    return "Look at the sum: " + ", and ".join(told) + "."


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _relation(j: int, yours: Tensor, ours: Tensor, terms: Sequence[int], names: Sequence[str]) -> str:
    a, b = yours[:, j], ours[:, j]
    if _equal(a, torch.zeros_like(a)):
        return "is 0, and should not be"
    if _equal(b, torch.zeros_like(b)):
        return "should be 0"
    slips: list[tuple[Tensor, str]] = [
        (-b, "has the wrong sign"),
        (b**2, "is the square of what it should be"),
        (-(b**2), "is the square of what it should be, with the wrong sign"),
        (b.abs().sqrt() * b.sign(), "is the square root of what it should be"),
        (1 / b, "is upside down"),
        (1 - b, "is 1 minus what it should be"),
        (torch.ones_like(b), "is 1, and should not be"),
        (2 * b, "is twice what it should be"),
        (b / 2, "is half of what it should be"),
        *((ours[:, i], f"is that of `{names[terms[i]]}`") for i in range(len(terms)) if i != j),
    ]
    for value, told in slips:
        if bool(torch.isfinite(value).all()) and _equal(a, value):
            return told
    worst = int((a - b).abs().argmax())
    return f"is wrong, {_shown(a[worst])} where {_shown(b[worst])} was expected"


def _shown(x: Tensor) -> str:
    return f"{float(x):.3g}" if abs(float(x)) > 1e-9 else "0"


def _equal(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, 10 * RELATIVE, 10 * ABSOLUTE)
