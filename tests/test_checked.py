"""The tests' own check of shapes: at work in the package, and once a test for a function within a function."""

from __future__ import annotations

from collections.abc import Callable

import jaxtyping
import pytest
import torch

from ddpm_lib.evaluate.metrics import frechet_distance
from tests import checked


def test_a_wrong_shape_is_refused_again_and_again() -> None:
    for _ in range(3):
        with pytest.raises(jaxtyping.TypeCheckError):
            frechet_distance(torch.zeros(4, 3, 2), torch.zeros(4, 3))


def test_what_is_called_often_is_checked_at_first() -> None:
    calls: list[str] = []

    def counting(fn: Callable[[], None]) -> Callable[[], None]:
        return lambda: calls.append(fn.__name__)

    def outer() -> Callable[[], None]:
        def inner() -> None: ...

        return checked._first(inner, counting)

    outer()  # not called, so not checked
    first = outer()
    for _ in range(checked.FIRST + 5):
        first()
    for _ in range(3):
        outer()()
    assert calls == ["inner"] * checked.FIRST
    checked.check_again()  # the next test
    outer()()
    assert len(calls) == checked.FIRST + 1
