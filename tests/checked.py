"""Shapes and types are checked in the first calls of a function in a test: a loop of 500 steps says nothing new."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

import jaxtyping

# A check costs about 0.1 ms, many times what a step on a tensor of the tests takes.
FIRST = 16

_checked: list[Any] = []  # how often each function was called in this test, as lists of one number
_inner: set[CodeType] = set()  # functions within functions that were checked in this test


def check_again() -> None:
    """Every function is checked anew: at the beginning of each test."""
    for calls in _checked:
        calls[0] = 0
    _checked.clear()
    _inner.clear()


def install(package: str, typechecker: str) -> None:
    """Import `package` under jaxtyping's hook, with each function's first calls checked and the others left alone."""
    whole = jaxtyping.jaxtyped

    def jaxtyped(*args: Any, **options: Any) -> Callable[[Any], Any]:
        decorate = whole(*args, **options)
        return lambda fn: _first(fn, decorate) if inspect.isfunction(fn) else decorate(fn)

    jaxtyping.jaxtyped = jaxtyped  # type: ignore[assignment]
    jaxtyping.install_import_hook(package, typechecker)


def _first(fn: Callable[..., Any], decorate: Callable[[Any], Any]) -> Callable[..., Any]:
    """`fn`, checked by `decorate` in its first calls.

    A check is compiled when it is first needed, which takes some ms. A function within a function is defined anew
    whenever the outer one is called; so only the first one that is called in a test is checked.
    """
    inner = "<locals>" in fn.__qualname__
    if inner and fn.__code__ in _inner:
        return fn
    calls, checked = [0], None

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal checked
        if calls[0] >= FIRST or (inner and not calls[0] and fn.__code__ in _inner):
            return fn(*args, **kwargs)
        if checked is None:
            checked = decorate(fn)
        if not calls[0]:
            _checked.append(calls)
            if inner:
                _inner.add(fn.__code__)
        calls[0] += 1
        return checked(*args, **kwargs)

    return call
