"""Phrases about digits, and which digits each one fits: the smallest language that a network can be told in."""

from __future__ import annotations

from itertools import combinations

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
EVERY = frozenset(range(10))
EVEN = frozenset(range(0, 10, 2))


def _plain() -> dict[str, frozenset[int]]:
    """One idea each: a digit, all but it, even or odd, less or larger than a digit."""
    found = {name: frozenset({i}) for i, name in enumerate(NAMES)}
    found |= {f"not {name}": EVERY - {i} for i, name in enumerate(NAMES)}
    found |= {"an even number": EVEN, "an odd number": EVERY - EVEN}
    found |= {f"a number less than {NAMES[i]}": frozenset(range(i)) for i in range(1, 10)}
    found |= {f"a number larger than {NAMES[i]}": frozenset(range(i + 1, 10)) for i in range(9)}
    return found


def _combined() -> dict[str, frozenset[int]]:
    """Two ideas each: two digits, or even or odd with a bound; only those that at least one digit fits."""
    found = {f"{NAMES[i]} or {NAMES[j]}": frozenset({i, j}) for i, j in combinations(range(10), 2)}
    for parity, fits in (("even", EVEN), ("odd", EVERY - EVEN)):
        for i, name in enumerate(NAMES):
            found[f"{parity} and less than {name}"] = fits & frozenset(range(i))
            found[f"{parity} and larger than {name}"] = fits & frozenset(range(i + 1, 10))
    return {phrase: digits for phrase, digits in found.items() if digits}


PHRASES: dict[str, frozenset[int]] = _plain() | _combined()
# Every fifth combination is kept from training, so that the network meets its words, but never together.
UNSEEN: tuple[str, ...] = tuple(_combined())[2::5]
