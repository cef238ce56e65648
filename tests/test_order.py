"""Test files begin in the order of what they take, known or guessed."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser import PATIENCE
from tests.order import KEY, Kept, by_length


class Item:
    """A test, as far as its place depends on it."""

    def __init__(self, file: str, name: str, marked: bool = False, browser: bool = False) -> None:
        self.path, self.nodeid, self.marked = Path(file), f"{file}::{name}", marked
        self.fixturenames = ["page", "browser"] if browser else []

    def get_closest_marker(self, name: str) -> bool:
        return self.marked and name == "slow"


ITEMS: list[Any] = [
    Item("a.py", "drives", browser=True),
    Item("b.py", "quick"),
    Item("c.py", "long", marked=True),
    Item("d.py", "known"),
    Item("e.py", "quick"),
]


@pytest.mark.parametrize(
    ("took", "order"),
    [({}, "cbdea"), ({"d.py::known": 20.0}, "dcbea"), ({"a.py::drives": 6.0, "c.py::long": 0.1}, "abcde")],
)
def test_long_files_come_first_and_those_with_a_browser_last(took: dict[str, float], order: str) -> None:
    assert "".join(item.path.stem for item in sorted(ITEMS, key=by_length(ITEMS, took))) == order


class Cache(dict[str, Any]):
    """As much of pytest's."""

    def set(self, key: str, value: object) -> None:
        self[key] = value


def test_what_a_test_took_is_added_to_what_others_took() -> None:
    cache: Any = Cache({KEY: {"old": 3.0, "again": 9.0}})
    kept = Kept(cache)
    for duration in (0.25, 1.0, 0.5):  # its set-up, itself, what follows
        report: Any = type("Report", (), {"nodeid": "again", "duration": duration})
        kept.pytest_runtest_logreport(report)
    kept.pytest_sessionfinish()
    assert cache[KEY] == {"old": 3.0, "again": 1.75}


def test_no_wait_for_a_page_is_shorter_than_a_slow_machine_takes() -> None:
    """One limit holds for all (tests/browser.py): a test that sets a shorter one fails where it is only slow."""
    short = [
        f"{path.name}: {line.strip()}"
        for path in Path(__file__).parent.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if (found := re.search(r"\btimeout=([\d_]{4,})", line)) and int(found[1]) < PATIENCE
    ]
    assert not short
