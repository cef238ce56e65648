"""The posterior explorer: the page's own arithmetic against the library's, its words, its controls."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import PosteriorWidget
from tests.posterior_parts import root, slider
from tests.widget_page import drive


def data(page: Page, name: str) -> float:
    return float(root(page).get_attribute(f"data-{name}") or "nan")


@pytest.mark.parametrize("schedule", [linear_schedule(50), cosine_schedule(12)], ids=["linear", "cosine"])
def test_the_page_computes_what_the_library_computes(page: Page, schedule: Any) -> None:
    w = PosteriorWidget(schedule, t=5)
    drive(page, w)
    cases = [
        (t, s, x0, xt)
        for t in (1, 2, 7, w.T - 1, w.T)
        for s in sorted({0, 1, t // 2, t - 1} & set(range(t)))
        for x0, xt in ((0.8, -0.3), (-1.0, 3.0), (0.0, 0.05), (0.35, -3.0))
    ]
    for t, s, x0, xt in cases:
        w.t, w.x0, w.xt = t, x0, xt
        w.s = s  # last, for it follows t
        page.evaluate(
            "values => { for (const [k, v] of Object.entries(values)) model.set(k, v); }",
            {"t": t, "s": s, "x0": x0, "xt": xt},
        )
        assert [data(page, name) for name in ("t", "s", "x0", "xt")] == [t, s, x0, xt]
        assert data(page, "mean") == pytest.approx(w.mean, abs=1e-12)
        assert data(page, "sd") == pytest.approx(w.variance**0.5, abs=1e-12)
        assert data(page, "pull") == pytest.approx(w.pulls[0], abs=1e-12)
        if s == 0:  # exactly
            assert (data(page, "mean"), data(page, "sd"), data(page, "pull")) == (x0, 0, 1)
    slider(page, "t").press("ArrowLeft")  # and from the page to Python
    assert page.evaluate("[saved.t, saved.s]") == [w.T - 1, w.T - 2]
    page.evaluate("model.set('t', 3)")  # Python's t, whose s is still on its way
    assert (data(page, "t"), data(page, "s")) == (3, 2)


def drawn(page: Page, name: str) -> np.ndarray:
    """The points of a curve, as x_s and height."""
    d = page.locator(f".ddpm-frame path.ddpm-the-{name}").get_attribute("d") or ""
    points = np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", d), float)
    return np.stack([points[:, 0] * 6.4 - 3.2, (1 - points[:, 1]) / 0.94], 1)


def test_the_curves_are_the_three_gaussians_and_their_product(show: Any) -> None:
    w = PosteriorWidget(t=20, s=10, xt=0.9)
    page = show(w)
    for name in ("prior", "likelihood", "posterior"):
        points = torch.from_numpy(drawn(page, name))
        assert torch.allclose(points[:, 1], w.curves(points[:, 0])[name], atol=2e-3)
        assert points[:, 1].max() == pytest.approx(1, abs=1e-3)
    points = torch.from_numpy(drawn(page, "product"))
    curves = w.curves(points[:, 0])
    assert torch.allclose(points[:, 1], curves["prior"] * curves["likelihood"], atol=2e-3)
    assert drawn(page, "center") == pytest.approx(np.array([[w.mean, 1]]), abs=1e-3)


def test_at_the_clean_image_prior_and_posterior_are_one_upright_line(show: Any) -> None:
    page = show(PosteriorWidget(t=20, s=0))
    for name in ("prior", "posterior"):
        assert drawn(page, name) == pytest.approx(np.array([[0.8, 0], [0.8, 1]]), abs=1e-3)
    assert drawn(page, "likelihood")[:, 1].max() == pytest.approx(1, abs=1e-3)
    assert page.locator(".ddpm-frame path.ddpm-the-product").get_attribute("d") == ""


def test_curves_differ_by_dash_as_well_as_by_color(show: Any) -> None:
    page = show(PosteriorWidget())
    looks = [
        page.locator(f".ddpm-frame path.ddpm-the-{name}").evaluate(
            "e => [getComputedStyle(e).stroke, getComputedStyle(e).strokeDasharray]"
        )
        for name in ("prior", "likelihood", "posterior")
    ]
    assert len({stroke for stroke, _ in looks}) == len({dash for _, dash in looks}) == 3


@pytest.mark.parametrize(("x0", "xt"), [(0.8, -0.3), (0.2, 0.25), (0.25, 0.2), (0.5, 0.5)])
def test_the_known_points_stand_on_the_axis_and_their_names_never_meet(
    show: Any, page: Page, x0: float, xt: float
) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(PosteriorWidget(x0=x0, xt=xt))
    pins = page.locator(".ddpm-pin")
    places = pins.evaluate_all("nodes => nodes.map(e => parseFloat(e.style.left))")
    assert places == pytest.approx([(x + 3.2) / 6.4 * 100 for x in (x0, xt)])
    names = page.locator(".ddpm-pin > span").evaluate_all(
        "nodes => nodes.map(e => e.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    (_, end), (begin, _) = sorted(names)
    assert end <= begin


def test_the_bar_is_shared_as_the_pulls_are(show: Any) -> None:
    w = PosteriorWidget(t=20, s=12)
    page = show(w)
    widths = page.locator(".ddpm-bar").evaluate(
        "e => [e.firstChild.getBoundingClientRect().width, e.getBoundingClientRect().width]"
    )
    assert widths[0] / widths[1] == pytest.approx(w.pulls[0], abs=1e-3)
    name = f"the prior pulls with {w.pulls[0]:.2f}, the likelihood with {w.pulls[1]:.2f}"
    assert page.get_by_role("img", name=name).count() == 1


def test_the_keyboard_moves_every_slider(show: Any) -> None:
    page = show(PosteriorWidget(t=20))
    before = data(page, "mean")
    presses: dict[str, dict[str, float]] = {
        "t": {"ArrowRight": 21, "Home": 1, "End": 50},
        "x0": {"ArrowLeft": 0.75, "Home": -1, "ArrowRight": -0.95},
        "xt": {"ArrowRight": -0.25, "End": 3, "Home": -3},
    }
    for name, keys in presses.items():
        for key, value in keys.items():
            slider(page, name).press(key)
            assert data(page, name) == value, (name, key)
        assert data(page, "mean") != before
        before = data(page, "mean")
    slider(page, "stride").press("End")
    assert (data(page, "s"), data(page, "mean"), data(page, "sd")) == (0, -0.95, 0)
    assert slider(page, "stride").get_attribute("aria-valuetext") == "50 steps, to s = 0"
    assert root(page).get_by_role("img", name="the prior pulls with 1.00").count() == 1
    slider(page, "stride").press("Home")
    assert data(page, "s") == 49
    assert slider(page, "stride").get_attribute("aria-valuetext") == "1 step, to s = 49"


def test_the_page_keeps_the_stride_when_t_moves(show: Any) -> None:
    page = show(PosteriorWidget(t=20, s=15))
    for key, t, s in (("ArrowRight", 21, 16), ("Home", 1, 0), ("ArrowRight", 2, 0), ("End", 50, 45)):
        slider(page, "t").press(key)
        assert (data(page, "t"), data(page, "s")) == (t, s)
    slider(page, "stride").press("ArrowRight")
    slider(page, "t").press("ArrowLeft")
    assert (data(page, "t"), data(page, "s")) == (49, 43)


@pytest.mark.parametrize(
    ("s", "words"),
    [
        (None, ["mean = 0.091 x0 + 0.879 xt = \u22120.191", "standard deviation 0.387"]),
        (0, ["mean = 1.000 x0 + 0 xt = 0.800", "standard deviation 0 ", "prior pulls with 1.00"]),
    ],
)
def test_the_numbers_are_read_out(show: Any, s: int | None, words: list[str]) -> None:
    w = PosteriorWidget(t=20, s=s)
    text = re.sub(r"\s+", " ", root(show(w)).inner_text())
    for each in (*words, f"likelihood with {w.pulls[1]:.2f}", "each scaled to height 1"):
        assert each in text


def test_what_happened_is_said_once_things_are_still(show: Any, page: Page) -> None:
    page.clock.install()
    show(PosteriorWidget(t=20))
    live = page.locator("[aria-live=polite]")
    page.clock.run_for(900)
    assert live.inner_text() == ""
    slider(page, "t").press("ArrowRight")
    page.clock.run_for(900)
    assert live.inner_text().startswith("x 20 given x 0 = 0.80 and x 21 = \u22120.30: mean ")
