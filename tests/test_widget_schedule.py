"""The schedule explorer: the page's own arithmetic against the library's, its words, its controls."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from ddpm_lib.widgets import ScheduleWidget
from tests.schedule_parts import X0, root
from tests.shown import assert_drawn, grey
from tests.widget_page import drive


def data(page: Page, name: str) -> str:
    return root(page).get_attribute(f"data-{name}") or ""


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("kind", ["linear", "scaled linear", "cosine"])
def test_the_page_computes_what_the_library_computes(page: Page, kind: str, rescale: bool) -> None:
    """For six chains and three ranges of beta, every one of them driven as Python would."""
    w = ScheduleWidget(kind=kind, rescale=rescale)
    drive(page, w)
    for T in (2, 3, 21, 50, 300, 1000):  # at 20 the last beta is 1, up to rounding
        for ends in ((1e-4, 0.02), (0.00085, 0.012), (0.3, 2e-4)):
            w.T, (w.beta_min, w.beta_max) = T, ends
            page.evaluate(
                "values => { for (const [k, v] of Object.entries(values)) model.set(k, v); }",
                {"T": T, "beta_min": ends[0], "beta_max": ends[1]},
            )
            assert data(page, "t-max") == str(T)
            assert data(page, "kind") == kind
            assert data(page, "valid") == str(w.valid).lower()
            if w.valid:
                ab = w.schedule.alpha_bar[-1].item()
                assert float(data(page, "left")) == pytest.approx(w.left, rel=1e-6)
                assert float(data(page, "snr")) == pytest.approx(10 * np.log10(ab / (1 - ab)), abs=1e-6)
                verdict = root(page).locator(".ddpm-verdict").inner_text()
                assert verdict == w.verdict.replace("_", "")
    page.get_by_role("slider", name="number of steps T").press("ArrowLeft")  # and from the page to Python
    assert page.evaluate("saved.T") == 900


@pytest.mark.parametrize("channels", [1, 3])
def test_the_page_draws_the_pictures_that_python_computes(show: Any, channels: int) -> None:
    w = ScheduleWidget(X0.repeat(channels, 1, 1), T=300)
    page = show(w)
    for T in (300, 250):
        w.T = T
        for k, t in enumerate(w.ts):
            assert_drawn(grey(page, f"x t at t = {t}"), w.xt[k : k + 1])
        page.get_by_role("slider", name="number of steps T").press("ArrowLeft")


def test_the_curves_are_those_of_the_schedule(show: Any) -> None:
    w = ScheduleWidget(T=8)
    page = show(w)
    paths = page.locator("path.ddpm-own:not(.ddpm-dots)").evaluate_all("p => p.map(e => e.getAttribute('d'))")
    drawn = [np.array(re.findall(r"[\d.]+", d), float).reshape(-1, 2) for d in paths[:2]]
    t = np.arange(9) / 8
    assert drawn[0] == pytest.approx(np.stack([t, 1 - w.schedule.alpha_bar.numpy()], 1), abs=1e-4)
    log_snr = w.schedule.log_snr.numpy()
    assert drawn[1] == pytest.approx(np.stack([t, (10 - log_snr) / 30], 1)[1:], abs=1e-4)


def test_the_keyboard_moves_every_slider(show: Any) -> None:
    page = show(ScheduleWidget())
    steps = page.get_by_role("slider", name="number of steps T")
    steps.focus()
    for key, T in {"ArrowLeft": 900, "ArrowRight": 1000, "Home": 2, "ArrowUp": 3}.items():
        page.keyboard.press(key)
        assert data(page, "t-max") == str(T), key
        assert steps.get_attribute("aria-valuetext") == f"T = {T}"
    for name, stops in {"beta min": (0.00012, 1e-4), "beta max": (0.025, 0.02)}.items():
        slider = page.get_by_role("slider", name=name)
        for key, beta in zip(("ArrowRight", "ArrowLeft"), stops, strict=True):
            slider.press(key)
            assert slider.get_attribute("aria-valuetext") == f"{name} = {beta:g}"
    w = ScheduleWidget(T=3)
    assert float(data(page, "left")) == pytest.approx(w.left, rel=1e-6)


def test_a_value_between_two_stops_is_kept(show: Any) -> None:
    w = ScheduleWidget(T=777, beta_max=0.0123)
    page = show(w)
    assert float(data(page, "left")) == pytest.approx(w.left, rel=1e-6)
    page.get_by_role("slider", name="number of steps T").press("ArrowRight")
    assert data(page, "t-max") == "900"


def test_kind_scaling_and_the_papers_values_by_keyboard(show: Any) -> None:
    w = ScheduleWidget(T=100)
    page = show(w)
    page.get_by_role("checkbox", name="scale by 1000 / T").press("Space")
    w.rescale = True
    assert float(data(page, "left")) == pytest.approx(w.left, rel=1e-6)
    page.get_by_role("radio", name="linear", exact=True).focus()
    page.keyboard.press("ArrowRight")
    w.kind = "scaled linear"
    assert data(page, "kind") == w.kind
    assert float(data(page, "left")) == pytest.approx(w.left, rel=1e-6)
    page.get_by_role("button", name="The paper\u2019s values").press("Enter")
    assert (data(page, "t-max"), data(page, "kind")) == ("1000", "linear")
    assert float(data(page, "left")) == pytest.approx(ScheduleWidget().left, rel=1e-6)
    assert not page.get_by_role("checkbox").is_checked()


def test_the_cosine_schedule_has_no_betas_to_choose(show: Any) -> None:
    page = show(ScheduleWidget(T=500))
    assert "rises in a straight line from 0.0001 to 0.02" in root(page).inner_text()
    page.get_by_role("radio", name="cosine").check()
    for control in (page.get_by_role("slider", name="beta"), page.get_by_role("checkbox")):
        assert all(control.nth(i).is_disabled() for i in range(control.count()))
    assert page.get_by_role("slider", name="number of steps T").is_enabled()
    assert "have no effect" in root(page).inner_text()
    page.get_by_role("radio", name="linear", exact=True).check()
    assert page.get_by_role("slider", name="beta max").is_enabled()


def test_what_is_no_schedule_is_said_and_nothing_breaks(show: Any) -> None:
    page = show(ScheduleWidget(X0, T=21, rescale=True))
    sentence = page.locator(".ddpm-wrong")
    height = (root(page).bounding_box() or {})["height"]
    assert not sentence.is_visible()
    page.get_by_role("slider", name="beta max").press("ArrowRight")  # 0.025 * 1000 / 21 is above 1
    assert data(page, "valid") == "false"
    assert data(page, "left") == ""
    assert sentence.inner_text() == (
        "Not a schedule: \u03b218 = 1.01, but the variance of a step must be below 1. "
        "Lower \u03b2max, raise T or switch the scaling off."
    )
    assert not page.locator(".ddpm-strip").is_visible()
    assert (
        sentence.bounding_box() == page.locator(".ddpm-strip").bounding_box()
    )  # it fills the place of the pictures
    assert page.get_by_role("meter").get_attribute("aria-valuetext") == "not a schedule"
    assert (root(page).bounding_box() or {})["height"] == pytest.approx(height, abs=2)  # nothing jumps
    page.get_by_role("checkbox").uncheck()
    assert data(page, "valid") == "true"
    assert not sentence.is_visible()


@pytest.mark.parametrize(
    ("T", "zone", "share"), [(1000, "noise", 26.7), (500, "a trace", 63.5), (300, "image", 78)]
)
def test_the_meter_says_it_in_words(show: Any, T: int, zone: str, share: float) -> None:
    w = ScheduleWidget(T=T)
    page = show(w)
    assert page.locator(".ddpm-here").all_inner_texts() == [zone]
    dot = page.locator(".ddpm-meter .ddpm-dot").evaluate("e => parseFloat(e.style.left)")
    assert dot == pytest.approx(100 + 100 * np.log10(w.left) / 3, abs=1e-3)
    assert dot == pytest.approx(share, abs=0.3)
    meter = page.get_by_role("meter", name="weight of the image left at T")
    assert float(meter.get_attribute("aria-valuenow") or 0) == pytest.approx(w.left, rel=1e-6)
    text = root(page).locator(".ddpm-left").inner_text()
    assert f"{w.left:.3g}" in text
    assert meter.get_attribute("aria-valuetext") == f"{w.left:.3g}, {w.verdict.replace('_', ' ')}"
    assert page.locator(".ddpm-mark").all_inner_texts() == ["0.001", "0.01", "0.1", "1"]


def test_what_happened_is_said_once_things_are_still(show: Any, page: Page) -> None:
    page.clock.install()
    show(ScheduleWidget(T=250))
    live = page.locator("[aria-live=polite]")
    page.clock.run_for(900)
    assert live.inner_text() == ""
    page.get_by_role("slider", name="number of steps T").press("ArrowRight")
    page.clock.run_for(900)
    assert live.inner_text() == ("T = 300, linear: weight of the image left 0.219, x T still shows the image")
