"""Rows of figures that a notebook shows as a real table, and a terminal as aligned columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# What stands to the right, beneath each other.
ONE = r"[-+]?[\d.,]+(e[-+]?\d+)?"
NUMBER = re.compile(rf"{ONE}( (to|±|\+-) {ONE})?( ?(%|x|GB|MB|M|G|ms|bits))?|-|")


@dataclass(frozen=True)
class Table:
    """A header and rows of as many cells, which are shown as they are: format the numbers first."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def columns(self) -> list[tuple[str, ...]]:
        """The body's columns, without the header."""
        return list(zip(*self.rows, strict=True))

    def numbers(self) -> list[bool]:
        """Which columns hold numbers only."""
        return [all(NUMBER.fullmatch(cell) for cell in column) for column in self.columns()]

    def _repr_markdown_(self) -> str:
        rule = ["---:" if number else ":---" for number in self.numbers()]
        lines = (f"| {' | '.join(cells)} |" for cells in (self.header, rule, *self.rows))
        return "\n".join(lines).replace(" +- ", " ± ")

    def __repr__(self) -> str:
        together = [(name, *column) for name, column in zip(self.header, self.columns(), strict=True)]
        widths = [max(map(len, column)) for column in together]
        lines = (
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(cells, widths, self.numbers(), strict=True)
            ).rstrip()
            for cells in (self.header, *self.rows)
        )
        return "\n".join(lines)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table for the last line of a cell; columns of numbers stand to the right, words to the left."""
    if not all(name.strip() for name in header):
        raise ValueError(
            f"A column has no name, which a screen reader would read: name each of {tuple(header)}."
        )
    body = tuple(tuple(str(cell) for cell in row) for row in rows)
    for cells in body:
        if len(cells) != len(header):
            raise ValueError(
                f"A row of {len(cells)} cells stands under a header of {len(header)}: give as many of each. "
                f"The row is {cells}."
            )
    return Table(tuple(header), body)
