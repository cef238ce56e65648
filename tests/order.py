"""Which test files begin: the long ones, so that the workers end together.

`make unit` gives a worker one file at a time (--dist loadscope), so that what a file starts is started once. What a
test took is kept in pytest's cache; of one that has not run here, its marker `slow` or a browser says it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import pytest

KEY = "course/seconds"  # in pytest's cache: seconds by a test's id
SLOW, BROWSER, OTHER = 15.0, 0.5, 0.02  # seconds of a test that has not run here
LONG = 5.0  # seconds from which on a file is among the first


def browses(item: pytest.Item) -> bool:
    """Whether it drives a page."""
    return "browser" in getattr(item, "fixturenames", ())


def guess(item: pytest.Item) -> float:
    """The seconds of a test that has not run here."""
    if item.get_closest_marker("slow"):
        return SLOW
    return BROWSER if browses(item) else OTHER


def by_length(items: Iterable[pytest.Item], took: Mapping[str, float]) -> Callable[[pytest.Item], object]:
    """A key to sort by: long files first, then those without a browser and those with one; else the order stays."""
    whole: dict[object, float] = defaultdict(float)
    browsing = set()
    for item in items:
        whole[item.path] += took.get(item.nodeid, guess(item))
        if browses(item):
            browsing.add(item.path)

    def place(item: pytest.Item) -> tuple[float, bool]:
        seconds = whole[item.path]
        return -seconds if seconds >= LONG else 0.0, item.path in browsing

    return place


class Kept:
    """A plugin that adds what the tests of this run took to the cache; a worker's are the controller's to add."""

    def __init__(self, cache: pytest.Cache) -> None:
        self.cache = cache
        self.took: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        rounded = {test: round(seconds, 2) for test, seconds in self.took.items()}
        self.cache.set(KEY, {**self.cache.get(KEY, {}), **rounded})
