"""The page for teachers holds what the chapters declare, and says nothing of it twice."""

import re
from pathlib import Path
from types import SimpleNamespace

import nbformat

from tools.equations import ROOT, chapters
from tools.executed import Record, copy_of, write
from tools.notebook import read, source
from tools.teaching import MARKS, PAGE, declared, exercises_table, lesson, lessons, run_time

CHAPTER = """# A chapter

When you have read it you can

- say why $x$,
- add **two** of them.

Allow about an hour, and another for the exercises.

## 1. No exercise

## Exercises

### 1. Derive: a sum

### 2. Open ★

## Recap

### 3. Debug: not one either
"""


def numbered_chapters() -> set[str]:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    numbered = re.findall(r"numbered: 2\n +chapters:\n((?: +- file: .*\n)+)", toc)
    return {name for part in numbered for name in re.findall(r"file: (\S+)", part)}


def test_a_chapter_declares_time_objectives_and_exercises() -> None:
    found = lesson("book/one", CHAPTER)
    assert found is not None
    assert (found.title, found.time) == ("A chapter", "an hour, and another for the exercises")
    assert found.objectives == ("say why $x$", "add **two** of them")
    assert found.exercises == (("Derive", 1), ("Open", 2))
    assert lesson("book/none", "# A page without a time") is None
    linked = lesson(
        "book/two", "# Two\n\nAllow half an hour, or read [one](one.ipynb) first. You can\n\n- go on.\n"
    )
    assert linked is not None
    assert linked.time == "half an hour, or read [one](one.ipynb) first"


def test_every_numbered_chapter_declares_its_time_and_objectives() -> None:
    names = numbered_chapters()
    found = {each.name: each for each in lessons(ROOT)}
    assert names <= set(found)
    assert all(len(found[name].objectives) >= 3 for name in names)
    assert {name for name in names if len(found[name].exercises) < 5} <= {"book/engineering", "book/variance"}


UNTRAINED = {
    "book/forward": "there is no network yet",
    "book/posterior": "there is no network yet",
    "book/editing": "it edits without training, as its title says",
    "book/javascript": "its engine runs networks that are trained",
    "book/engineering": "its open question times a training step",
}  # numbered chapters without an exercise that trains something, and why


def test_every_numbered_chapter_has_one_open_question_and_most_train_something() -> None:
    marked, training = {}, set()
    for name in chapters(ROOT):
        cells = read(ROOT / f"{name}.ipynb")["cells"]
        text = "\n\n".join(source(c) for c in cells)
        exercises = text.partition("\n## Exercises")[2].partition("\n## ")[0]
        marked[name] = len(re.findall(r"^(?:### |\*\*)\d+\. Open.*\u2605", exercises, re.MULTILINE))
        if re.search(r"\b(?:Train|Teach|train|retrain)\b (?!for|something)|\btrain\(", exercises):
            training.add(name)
    numbered = numbered_chapters()
    assert {name for name in numbered if marked[name] != 1} == set()
    assert {name for name in numbered if name not in training} <= set(UNTRAINED)


def test_the_table_lists_each_exercise_under_its_kind() -> None:
    found = lesson("book/one", CHAPTER)
    assert found is not None
    table = exercises_table([found]).splitlines()
    assert table[0] == "| Chapter | Derive | Open |"
    assert table[2] == "| [A chapter](one.ipynb#exercises) | 1 | 2 |"


def test_the_page_takes_in_what_is_declared() -> None:
    text = [(ROOT / f"{PAGE}.md").read_text(encoding="utf-8")]
    assert all(mark in text[0] for mark in MARKS)
    declared(SimpleNamespace(srcdir=ROOT), PAGE, text)
    assert not any(mark in text[0] for mark in MARKS)
    assert "tell whether a schedule really ends in noise" in text[0]
    assert "| Chapter | " in text[0]


def test_the_time_of_a_build_is_that_of_its_own_run(tmp_path: Path) -> None:
    (tmp_path / "_toc.yml").write_text("root: book/one\nparts:\n  - chapters:\n      - file: book/two\n")
    (tmp_path / "book").mkdir()
    for name, seconds in (("one", 100.0), ("two", 80.0)):
        notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
        nbformat.write(notebook, tmp_path / "book" / f"{name}.ipynb")  # type: ignore[no-untyped-call]
        assert run_time(tmp_path) == "as long as the feet of their pages say together"
        write(copy_of(tmp_path / "book" / f"{name}.ipynb", tmp_path), notebook, Record("", seconds))
    assert run_time(tmp_path) == "3 minutes in the run that made these pages"
