"""The five things to try on the page Play: its engine still gives what the chapter quotes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from benchmarks.five import CORNER, RADIUS, data, end, run
from ddpm_lib.assets.measured import measured
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.widgets import PlayWidget
from ddpm_lib.widgets.play.shapes import rings
from tests.play_page import press
from tests.widget_page import document, drive

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


def test_the_least_loss_is_right_to_a_percent(row: dict[str, Any]) -> None:
    """What is left open of x0, where it is one of the moons' points, on 30,000 draws of torch's own."""
    x0, rng = data()["moons"].double(), torch.Generator().manual_seed(0)
    left = []
    for ab in linear_schedule(100).alpha_bar.tolist()[1:]:
        eps = torch.randn(300, 2, generator=rng).double()
        xt = ab**0.5 * x0[torch.randint(500, (300,), generator=rng)] + (1 - ab) ** 0.5 * eps
        likely = (-torch.cdist(xt, ab**0.5 * x0).square() / (2 * (1 - ab))).softmax(1)
        variance = likely @ x0.square() - (likely @ x0).square()
        left.append(float(variance.mean()) * ab / (1 - ab))  # of the noise
    assert row["eps"]["least"] == pytest.approx(sum(left) / 100, rel=0.012)


def test_the_lines_below_a_walk_say_what_was_measured(page: Page, row: dict[str, Any]) -> None:
    page.emulate_media(reduced_motion="reduce")
    drive(page, PlayWidget(steps=50))
    lines = page.locator(".ddpm-ends")
    expect(lines).to_have_text(["in a walk: how far from the data"] * 2)
    press(page, "Walk")
    expect(lines.nth(1)).to_have_text(re.compile("strays"))
    assert lines.nth(0).inner_text() == lines.nth(1).inner_text()  # the same noise
    page.get_by_role("slider", name=re.compile("time t")).press("Home")
    ends = row["eps"]["exact, ddim 50"]
    n, words = 150, [f"median distance {ends['nearest']:.3f}"]
    words += [f"strays {n * ends['stray']:.0f}", f"on an old point {n * ends['on_a_point']:.0f}"]
    expect(lines.nth(1)).to_have_text("".join(words))
    expect(lines.nth(0)).not_to_have_text("".join(words))
    press(page, "Reset")
    expect(lines.nth(1)).to_have_text("in a walk: how far from the data")


def test_the_lines_below_a_walk_fit_on_a_telephone(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 320, "height": 700})
    page.set_content(document(PlayWidget(steps=50)))
    fits = "e => e.scrollWidth <= e.clientWidth"
    lines = page.locator(".ddpm-ends")
    expect(lines.nth(1)).to_have_text("in a walk: how far from the data")
    assert [lines.nth(i).evaluate(fits) for i in (0, 1)] == [True, True]
    press(page, "Walk")
    expect(lines.nth(1)).to_have_text(re.compile("strays"))
    assert [lines.nth(i).evaluate(fits) for i in (0, 1)] == [True, True]


def test_the_drawing_is_a_disk_in_the_corner_and_fresh_points_are_no_old_ones() -> None:
    disk = data()["corner"]
    assert len(disk) == 500
    assert float((disk - disk.new_tensor(CORNER)).norm(dim=1).max()) < RADIUS + 0.01
    old = data()["rings"]
    assert end(old, old)["on_a_point"] == 1
    fresh = end(rings(2000, seed=1), old)
    assert fresh["on_a_point"] == pytest.approx(measured("five")["fresh rings"]["on_a_point"])
