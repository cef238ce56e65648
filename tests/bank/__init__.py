"""The bank of answers: for each grader right ones of different form, and the slips that readers make.

A file or two a chapter, each a `BANK`: the grader's name -> its answers. The files `more_` hold further slips, each a
`MORE`: the grader's name -> wrong answers. `tests/test_exercises_bank.py` tries them all.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answers:
    """Answers to one exercise: the right ones, and the wrong ones with words of what their author must be told."""

    right: list[Any]
    wrong: list[tuple[Any, str]]


Bank = dict[str, Answers]
More = dict[str, list[tuple[Any, str]]]  # further slips of graders whose answers stand in another file
