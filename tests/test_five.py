"""The five things to try on the page Play: its engine still gives what the chapter quotes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from benchmarks.five import CORNER, RADIUS, data, end, run
from ddpm_lib.assets.measured import measured
from ddpm_lib.widgets.play.shapes import rings

EXACT = [
    ("eps", "moons", ("ddim", 1), {}),
    ("eps", "moons", ("ddim", 5), {}),
    ("short, corner", "corner", ("ddim", 50), {"schedule": "short"}),
    ("rings", "rings", ("ddim", 500), {"T": 500}),
]


@pytest.fixture(scope="module")
def row() -> dict[str, Any]:
    """What was measured from the first seed."""
    found: dict[str, Any] = measured("five")["rows"][0]
    assert found["seed"] == 0
    return found


@pytest.mark.parametrize(("name", "points", "walk", "chosen"), EXACT)
def test_the_exact_answer_ends_where_it_was_measured(
    page: Page, row: dict[str, Any], name: str, points: str, walk: tuple[str, int], chosen: dict[str, Any]
) -> None:
    found = run(page, data()[points], 0, [walk], **chosen)
    key = f"exact, {walk[0]} {walk[1]}"
    for what in ("nearest", "on_a_point", "stray", "farthest"):
        assert found[key][what] == pytest.approx(row[name][key][what], rel=0.05, abs=0.01), what
    assert found[key]["mean"] == pytest.approx(row[name][key]["mean"], abs=0.01)
    assert found["alpha_bar_T"] == pytest.approx(row[name]["alpha_bar_T"], rel=1e-3)


def test_a_training_comes_to_the_loss_that_was_measured(page: Page, row: dict[str, Any]) -> None:
    found = run(page, data()["moons"], 3000, [], width=8)
    assert found["least"] == pytest.approx(row["width 8"]["least"], rel=1e-3)
    assert found["loss"] == pytest.approx(row["width 8"]["loss"], rel=0.01)


def test_the_drawing_is_a_disk_in_the_corner_and_fresh_points_are_no_old_ones() -> None:
    disk = data()["corner"]
    assert len(disk) == 500
    assert float((disk - disk.new_tensor(CORNER)).norm(dim=1).max()) < RADIUS + 0.01
    old = data()["rings"]
    assert end(old, old)["on_a_point"] == 1
    fresh = end(rings(2000, seed=1), old)
    assert fresh["on_a_point"] == pytest.approx(measured("five")["fresh rings"]["on_a_point"])
