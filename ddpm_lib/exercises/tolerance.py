"""A measured number is as good as the one that it was to hit, if it is near enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


def nearest_each(answer: object, values: Sequence[Sequence[float]], share: float) -> object:
    """The same for several numbers, in a tuple, a list or an array, each near one of its own `values`."""
    parts = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(parts, tuple | list) or len(parts) != len(values):
        return answer
    return tuple(nearest(one, column, share) for one, column in zip(parts, values, strict=True))


def nearest(answer: object, values: Sequence[float], share: float) -> object:
    """The value nearest to `answer` if it is within `share` of that value; else `answer` as it came.

    Anything that is no single number comes back unchanged, for the grader to describe.
    """
    number: Any = answer
    if isinstance(answer, str | bytes | bool) or (isinstance(answer, Tensor) and answer.numel() != 1):
        return answer
    try:
        given = float(number)
    except Exception:  # a reader's answer may be anything
        return answer
    best = min(values, key=lambda value: abs(given - value))
    return best if abs(given - best) <= share * abs(best) else answer
