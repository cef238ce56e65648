"""What an answer that no grader knows does with its arguments: one off, squared, exchanged, unused, ignored noise."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from ddpm_lib.exercises.answers import Function, as_tensors, call, close

Case = tuple[Any, ...]
Change = Callable[[Any], Any]


def use(
    answer: Function, given: Sequence[list[Tensor]], right: Function, cases: Sequence[Case]
) -> str | None:
    """A sentence on the argument whose misuse makes all of `given`, case by case; None if there is no such one."""
    names = names_of(answer, right, len(cases[0]))
    again = _results(lambda case: call(answer, right, case), cases)
    if again is not None and not _equal(again, given):
        return "Another call gives another result: use the noise that the function is given, and draw none."
    for i, name in enumerate(names):
        if _number(cases[0][i]) and _equal(given, [as_tensors(case[i]) for case in cases]):
            return f"That is `{name}` itself, as the function was given it."
    for told, change in _changes(names, cases[0]):
        changed = _results(lambda case, change=change: as_tensors(right(*change(case))), cases)  # type: ignore[misc]
        if changed is not None and _equal(given, changed):
            return told
    for i, name in enumerate(names):
        if _number(cases[0][i]):
            moved = [_put(case, i, _moved(case[i])) for case in cases]
            yours = _results(lambda case: call(answer, right, case), moved)
            ours = _results(lambda case: as_tensors(right(*case)), moved)
            before = _results(lambda case: as_tensors(right(*case)), cases)
            if yours is None or ours is None or before is None or _equal(ours, before):
                continue
            if _equal(yours, given):
                return f"Your result does not change with `{name}`, and it should."
    return None


def _changes(names: Sequence[str], case: Case) -> Iterator[tuple[str, Callable[[Case], Case]]]:
    """Each misuse: what it is called, and what it makes of a case."""
    for i, name in enumerate(names):
        of_whole: list[tuple[str, Change]] = [("+ 1", lambda x: x + 1), ("- 1", lambda x: x - 1)]
        of_real: list[tuple[str, Change]] = [
            ("squared", lambda x: x**2),
            ("doubled", lambda x: 2 * x),
            ("halved", lambda x: x / 2),
            ("taken from 1", lambda x: 1 - x),
            ("under a root", _root),
            ("upside down", lambda x: 1 / x),
            ("with the other sign", lambda x: -x),
        ]
        if _number(case[i]):
            for how, change in of_whole if _whole(case[i]) else of_real:
                told = f"It is what comes out with `{name}` {how} in the place of `{name}`."
                yield told, lambda c, i=i, change=change: _put(c, i, change(c[i]))  # type: ignore[misc]
    real = [i for i in range(len(names)) if isinstance(case[i], float) or _single(case[i])]
    for how, change in (
        ("squared", lambda x: x**2),
        ("under a root", _root),
        ("taken from 1", lambda x: 1 - x),
    ):
        if len(real) > 1:
            listed = " and ".join(f"`{names[i]}`" for i in real)
            yield (
                f"It is what comes out with {listed} {how}.",
                lambda c, change=change: tuple(change(x) if i in real else x for i, x in enumerate(c)),  # type: ignore[misc]
            )
    for i, j in combinations(range(len(names)), 2):
        if not (_number(case[i]) and _number(case[j])) or _shape(case[i]) != _shape(case[j]):
            continue
        told = f"It is what comes out with `{names[i]}` and `{names[j]}` exchanged."
        yield told, lambda c, i=i, j=j: _put(_put(c, i, c[j]), j, c[i])  # type: ignore[misc]
        if _whole(case[i]) and _whole(case[j]):
            told = f"It is what comes out with `{names[i]} - 1` in the place of `{names[j]}`."
            yield told, lambda c, i=i, j=j: _put(c, j, c[i] - 1)  # type: ignore[misc]


def _results(result: Callable[[Case], list[Tensor]], cases: Sequence[Case]) -> list[list[Tensor]] | None:
    """Those of all cases; None where one of them has none."""
    try:
        return [result(case) for case in cases]
    except Exception:  # changed arguments may be out of range, and a reader's function may raise anything
        return None


def _equal(a: Sequence[list[Tensor]], b: Sequence[list[Tensor]]) -> bool:
    return all(close(yours, ours) for yours, ours in zip(a, b, strict=True))


def names_of(answer: Function, right: Function, count: int) -> list[str]:
    """Those of the reader's parameters, where there are as many, or else the grader's."""
    for function in (answer, right):
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            continue
        if len(parameters) == count and all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters):
            return [p.name for p in parameters]
    return [f"argument {i + 1}" for i in range(count)]


def _number(x: Any) -> bool:
    return (isinstance(x, int | float) and not isinstance(x, bool)) or (
        isinstance(x, Tensor) and x.dtype != torch.bool
    )


def _whole(x: Any) -> bool:
    return not x.is_floating_point() if isinstance(x, Tensor) else isinstance(x, int)


def _single(x: Any) -> bool:
    return isinstance(x, Tensor) and not x.dim() and x.is_floating_point()


def _shape(x: Any) -> tuple[bool, tuple[int, ...]]:
    return _whole(x), tuple(getattr(x, "shape", ()))


def _root(x: Any) -> Any:
    return x.sqrt() if isinstance(x, Tensor) else math.sqrt(x)


def _moved(x: Any) -> Any:
    """Another x: no entry by as much as its neighbors, for a function may not see a common shift or factor."""
    if _whole(x):
        return x - 1
    if isinstance(x, Tensor) and x.numel() > 1:
        return 0.9 * x + 0.01 * torch.linspace(0.5, 1.5, x.numel()).to(x).reshape(x.shape)
    return 0.9 * x + 0.01


def _put(case: Case, i: int, value: Any) -> Case:
    return (*case[:i], value, *case[i + 1 :])
