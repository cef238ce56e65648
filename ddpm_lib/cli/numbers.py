"""Numbers on the command line: each of these refuses, in a sentence, what is out of range."""

from __future__ import annotations

import argparse
import math

LONGEST = 100_000  # chain, in steps: a hundred times what anyone uses
MOST = 2**53  # of whole numbers: what every tool on the way counts to
MOST_IMAGES = 10**7  # of one command: their labels and names are held in memory
MOST_TIMES = 1000  # that a step of inpainting is taken


def positive(text: str) -> int:
    """A whole number above 0."""
    return _whole(text, 1, "a whole number of 1 or more")


def count(text: str) -> int:
    """A whole number from 0 on."""
    return _whole(text, 0, "a whole number of 0 or more")


def images(text: str) -> int:
    """How many images one command draws."""
    return _whole(text, 1, "a whole number of 1 or more", most=MOST_IMAGES)


def repeats(text: str) -> int:
    """How many times a step is taken."""
    return _whole(text, 1, "a whole number of 1 or more", most=MOST_TIMES)


def times(text: str) -> int:
    """A length of a chain; its tables are held in memory."""
    return _whole(text, 1, "a whole number of 1 or more", most=LONGEST)


def several(text: str) -> int:
    """0, or a whole number from 2 on: one alone has no spread."""
    value = count(text)
    if value == 1:
        raise argparse.ArgumentTypeError("1 is not 0, and not 2 or more")
    return value


def seed(text: str) -> int:
    """What torch's generators take as a seed."""
    return _whole(text, 0, "a whole number from 0 to 2^62 - 1", most=2**62 - 1)


def seconds(text: str) -> float:
    """A time above 0, in seconds."""
    return _real(text, "a time above 0", above=0.0)


def rate(text: str) -> float:
    """A learning rate."""
    return _real(text, "a number above 0", above=0.0)


def finite(text: str) -> float:
    """A number, neither NaN nor infinite."""
    return _real(text, "a finite number", above=-math.inf)


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = _real(text, "between 0 and 1", above=-math.inf)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def decay(text: str) -> float:
    """A number from 0 up to 1, but not 1 itself: an average that never moves."""
    value = share(text)
    if value == 1:
        raise argparse.ArgumentTypeError(
            "1 would average nothing in: pass a number below 1, usually 0.99 to 0.9999"
        )
    return value


def _whole(text: str, least: int, what: str, most: int = MOST) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not least <= value <= most:
        more = f", at most {most:,}" if value > most else ""
        raise argparse.ArgumentTypeError(f"{text[:40]} is not {what}{more}")
    return value


def _real(text: str, what: str, above: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not above < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text[:40]} is not {what}")
    return value
