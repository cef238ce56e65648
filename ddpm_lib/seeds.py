"""What images are drawn from, held against what it has to be: seeds, a shape, labels."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from ddpm_lib.denoiser import Labels


def checked_seeds(seeds: Sequence[int]) -> list[int]:
    """The seeds as ints. Raises ValueError unless they are whole numbers, one or more, that torch takes."""
    try:
        whole = [operator.index(seed) for seed in seeds]
    except TypeError as error:
        raise ValueError(f"The seeds are {seeds!r:.60}: pass a list or range of whole numbers.") from error
    if not all(-(2**63) <= seed < 2**64 for seed in whole):
        raise ValueError("A seed has more than 64 bits: choose whole numbers from 0 to 2^63 - 1.")
    if not whole:
        raise ValueError("There are no seeds: pass one for each image.")
    return whole


def check_labels(y: Labels | None, n: int) -> None:
    """Raise ValueError unless there is a label for each of n seeds, or none at all."""
    if y is not None and len(y) != n:
        raise ValueError(f"There are {len(y)} labels for {n} seeds: pass one label per image.")


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of one image or point, as ints. Raises ValueError unless each is 1 or more."""
    try:
        sides = tuple(operator.index(side) for side in shape)
    except TypeError as error:
        raise ValueError(f"The shape is {shape!r:.60}: pass whole numbers, such as (1, 28, 28).") from error
    if min(sides, default=1) < 1:
        raise ValueError(
            f"The shape is {sides}, but images have sides of 1 or more: pass such as (1, 28, 28)."
        )
    return sides
