"""Shapes and types are checked in the first calls of a function in a test: a loop of 500 steps says nothing new."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jaxtyping

# A check costs about 0.1 ms, many times what a step on a tensor of the tests takes.
FIRST = 16

_checked: list[Any] = []


def check_again() -> None:
    """Every function is checked anew: at the beginning of each test."""
    for calls in _checked:
        calls[0] = 0
    _checked.clear()


def install(package: str, typechecker: str) -> None:
    """Import `package` under jaxtyping's hook, with each function's first calls checked and the others left alone."""
    whole = jaxtyping.jaxtyped

    def jaxtyped(*args: Any, **options: Any) -> Callable[[Any], Any]:
        decorate = whole(*args, **options)
        return lambda fn: _first(fn, decorate(fn)) if inspect.isfunction(fn) else decorate(fn)

    jaxtyping.jaxtyped = jaxtyped  # type: ignore[assignment]
    jaxtyping.install_import_hook(package, typechecker)


def _first(fn: Callable[..., Any], checked: Callable[..., Any]) -> Callable[..., Any]:
    calls = [0]

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if calls[0] >= FIRST:
            return fn(*args, **kwargs)
        if not calls[0]:
            _checked.append(calls)
        calls[0] += 1
        return checked(*args, **kwargs)

    return call
