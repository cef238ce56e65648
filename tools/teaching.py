"""What the chapters declare, gathered for teachers: time, objectives, exercises. The page *Teaching* shows it.

A chapter says "Allow about an hour" and lists what "you can" do at its end; its exercises are headed "1. Derive: ...".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.equations import ROOT, chapters
from tools.executed import copy_of, record_of
from tools.notebook import read, source

PAGE = "book/teaching"
MARKS = ("<!-- lessons -->", "<!-- exercises -->", "<!-- run -->")
TIME = re.compile(r"Allow (?:about )?([^;]+?)[.;](?=\s|$)")  # a name of a file has a dot, too
LIST = re.compile(r"you can\n\n((?:- .*\n?)+)")
EXERCISE = re.compile(r"^(?:### |\*\*)(\d+)\. (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """A chapter that says how long it takes."""

    name: str  # book/forward
    title: str
    time: str  # an hour, and another for the exercises
    objectives: tuple[str, ...]
    exercises: tuple[tuple[str, int], ...]  # each with its kind: ("Predict", 1)


def lesson(name: str, text: str) -> Lesson | None:
    """What a chapter's text declares; None where it names no time."""
    time, listed = TIME.search(text), LIST.search(text)
    if time is None:
        return None
    goals = re.findall(r"^- (.*?)[,.]?$", listed[1], re.MULTILINE) if listed else []
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    assert title is not None, name
    section = re.search(r"^## Exercises$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    exercises = tuple((kind, int(n)) for n, kind in EXERCISE.findall(section[1] if section else ""))
    return Lesson(name, title[1], " ".join(time[1].split()), tuple(goals), exercises)


def lessons(root: Path) -> list[Lesson]:
    """Every chapter that says how long it takes, in reading order."""
    found = []
    for name in chapters(root):
        cells = read(root / f"{name}.ipynb")["cells"]
        found.append(lesson(name, "\n\n".join(source(c) for c in cells if c["cell_type"] == "markdown")))
    return [each for each in found if each is not None]


def goals_of(each: Lesson) -> str:
    """A chapter's time and objectives, as Markdown."""
    listed = "".join(f"- {goal}\n" for goal in each.objectives)
    head = f"**[{each.title}]({Path(each.name).name}.ipynb)**: {each.time}."
    return f"{head} Afterwards a reader can\n\n{listed}" if listed else f"{head}\n"


def exercises_table(found: list[Lesson]) -> str:
    """Which exercises of each kind a chapter has, as Markdown."""
    kinds = list(dict.fromkeys(kind for each in found for kind, _ in each.exercises))
    rows = [f"| Chapter | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for each in found:
        if each.exercises:
            cells = [", ".join(str(n) for kind, n in each.exercises if kind == column) for column in kinds]
            rows.append(f"| [{each.title}]({Path(each.name).name}.ipynb#exercises) | {' | '.join(cells)} |")
    return "\n".join(rows)


def run_time(root: Path) -> str:
    """How long all chapters took in the run that the pages show."""
    records = [record_of(copy_of(root / f"{name}.ipynb", root)) for name in chapters(root)]
    seconds = [record.seconds for record in records if record is not None]
    if len(seconds) < len(records):
        return "as long as the feet of their pages say together"
    return f"{sum(seconds) / 60:.0f} minutes in the run that made these pages"


def declared(app: Any, name: str, text: list[str]) -> None:
    """Put what the chapters declare into the page *Teaching*, before Sphinx reads it."""
    if name == PAGE:
        found = lessons(Path(app.srcdir))
        goals = "\n".join(goals_of(each) for each in found)
        made = (goals, exercises_table(found), run_time(Path(app.srcdir)))
        for mark, what in zip(MARKS, made, strict=True):
            text[0] = text[0].replace(mark, what)


if __name__ == "__main__":
    print(exercises_table(lessons(ROOT)))
