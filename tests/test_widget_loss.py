"""The loss explorer: its factors against the library's conversions, its page against Python, its controls."""

import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.widgets import LossWidget
from ddpm_lib.widgets.loss_by_t.loss_by_t import SCALES
from tests.contrast import contrast
from tests.loss_parts import LONG, SHORT, assert_shown, losses, root, values


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("t", [1, 2, 50, 300, 1000])
def test_the_page_shows_what_python_computes(show: Any, scale: str, t: int) -> None:
    w = LossWidget(losses(LONG, 4), LONG, t=t, scale=scale)
    page = show(w)
    assert_shown(page, w)
    assert (values(page)["trained"] is None) == (scale == "bound" and t == 1)


def test_numbers_and_what_lies_above_the_first_curve(show: Any) -> None:
    w = LossWidget(losses(SHORT, 3), SHORT, t=30)
    page = show(w)
    rows = page.locator(".ddpm-read tbody tr")
    a, b, c = (value or 0 for value in w.shown().values())
    assert [rows.nth(i).locator("td").all_inner_texts() for i in range(3)] == [
        [f"{a:#.3g}", ""],  # with its zeros
        [f"{b:#.3g}", f"+{b - a:#.3g}"],
        [f"{c:#.3g}", f"+{c - a:#.3g}"],
    ]
    assert "above \u201cirreducible\u201d" in page.locator(".ddpm-read thead").inner_text()


def test_the_scale_and_the_axis_are_chosen_by_keyboard(show: Any) -> None:
    w = LossWidget(losses(SHORT), SHORT, t=20)
    page = show(w)
    page.get_by_role("radio", name="eps").focus()
    law = page.locator(".ddpm-law")
    assert "factor is 1" in law.inner_text()
    for scale in ("x0", "v", "score", "bound"):
        page.keyboard.press("ArrowRight")
        w.scale = scale
        assert root(page).get_attribute("data-scale") == scale
        assert_shown(page, w)
        assert f"{w.factor:.3g}" in law.inner_text()
    page.get_by_role("radio", name="t", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert root(page).get_attribute("data-axis") == "log SNR"
    place = page.locator(".ddpm-cursor").evaluate("e => parseFloat(e.style.left)")
    log_snr = SHORT.log_snr.numpy()
    assert place == pytest.approx(100 * (log_snr[1] - log_snr[20]) / (log_snr[1] - log_snr[60]), abs=1e-3)


def test_the_keyboard_moves_the_slider_over_the_times_that_are_kept(show: Any) -> None:
    w = LossWidget(losses(LONG), LONG, t=49)
    page = show(w)
    slider = page.get_by_role("slider", name="time step t")
    keys = [
        "ArrowRight",
        "ArrowRight",
        "ArrowRight",
        "ArrowLeft",
        "ArrowLeft",
        "PageUp",
        "End",
        "ArrowRight",
        "Home",
    ]
    for key, t in zip(keys, [50, 60, 70, 60, 50, 150, 1000, 1000, 1], strict=True):
        slider.press(key)
        assert root(page).get_attribute("data-t") == str(t), key
        assert slider.get_attribute("aria-valuetext") == f"t = {t} of 1000"
        w.t = t
        assert_shown(page, w)


@pytest.mark.parametrize("axis", ["t", "log SNR"])
def test_the_arrow_keys_reach_every_time_in_both_directions(show: Any, axis: str) -> None:
    s = cosine_schedule(40)
    w = LossWidget(losses(s), s, t=1)
    w.axis = axis
    page = show(w)
    slider = page.get_by_role("slider")
    seen = []
    for key in ["ArrowRight"] * 39 + ["ArrowLeft"] * 39:
        slider.press(key)
        seen.append(int(root(page).get_attribute("data-t") or 0))
    assert seen == [*range(2, 41), *range(39, 0, -1)]


RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b", "0123456789-")


def number(text: str) -> float:
    """What the page writes as 0.02, or as 2 times ten to a raised power."""
    factor, ten, power = text.rpartition("10") if text.translate(RAISED) != text else (text, "", "")
    return float(factor.strip("\u00b7") or 1) * (10.0 ** int(power.translate(RAISED)) if ten else 1)


def test_the_curves_are_drawn_on_a_logarithmic_axis_with_readable_ticks(show: Any) -> None:
    w = LossWidget(losses(SHORT), SHORT)
    page = show(w)
    d = page.locator("path.ddpm-line-1").first.get_attribute("d") or ""
    drawn = np.array(re.findall(r"[\d.]+", d), float).reshape(-1, 2)
    ticks = page.locator(".ddpm-y")
    rungs = [(number(t.inner_text()), t.evaluate("e => parseFloat(e.style.top)") / 100) for t in ticks.all()]
    assert 3 <= len(rungs) <= 8
    (high, top), (low, bottom) = max(rungs), min(rungs)
    assert drawn[:, 0] == pytest.approx(np.arange(60) / 59, abs=1e-4)
    share = (drawn[:, 1] - bottom) / (top - bottom)
    there = 10 ** (np.log10(low) + share * np.log10(high / low))
    assert there == pytest.approx(losses(SHORT)["trained"][1:].numpy(), rel=5e-3)
    assert page.locator("path.ddpm-gap").get_attribute("d")


def test_curves_differ_in_more_than_color(show: Any) -> None:
    page = show(LossWidget(losses(SHORT, 4), SHORT))
    keys = page.locator(".ddpm-key path")
    dashes = keys.evaluate_all("p => p.map(e => getComputedStyle(e).strokeDasharray)")
    assert len(set(dashes)) == 4


@pytest.mark.parametrize("ground", ["#ffffff", "#14181e"])
def test_the_lines_can_be_seen_on_light_and_on_dark(show: Any, ground: str) -> None:
    """Contrast of at least 3 to 1, as WCAG 2 asks of graphics."""
    page = show(LossWidget(losses(SHORT, 4), SHORT))
    ink = "#222832" if ground == "#ffffff" else "#ced6dd"
    page.locator("body").evaluate(
        "(e, [g, i]) => { e.style.background = g; e.style.color = i; }", [ground, ink]
    )

    strokes = page.locator(".ddpm-key path").evaluate_all("p => p.map(e => getComputedStyle(e).stroke)")
    for stroke in strokes:
        assert contrast(stroke, ground) >= 3, stroke


def test_gaps_zeros_and_single_curves_break_nothing(show: Any) -> None:
    holes = losses(SHORT)["trained"].clone()
    holes[20:30] = torch.nan
    zeros = torch.zeros(61)
    one = torch.full((61,), torch.nan)
    one[7] = 0.3
    chain = linear_schedule(1, 0.5, 0.5, rescale=False)
    page = show(
        LossWidget({"whole": losses(SHORT)["trained"], "holes": holes, "zeros": zeros}, SHORT, t=25),
        LossWidget({"zeros": zeros}, SHORT),
        LossWidget({"one": one}, SHORT, scale="bound"),
        LossWidget({"a": torch.ones(2)}, chain, scale="bound"),
    )
    assert json.loads(root(page).nth(0).get_attribute("data-values") or "")["holes"] is None
    for i in range(4):
        for name in ("log SNR", "t"):
            for scale in ("x0", "in the bound"):
                root(page).nth(i).get_by_role("radio", name=scale).check()
            root(page).nth(i).get_by_role("radio", name=name, exact=True).check()
            root(page).nth(i).get_by_role("slider").press("ArrowRight")
            root(page).nth(i).get_by_role("slider").press("ArrowLeft")
    assert "NaN" not in page.locator("body").inner_text()
    drawn = page.locator(".ddpm-frame path").evaluate_all("p => p.map(e => e.getAttribute('d'))")
    assert not any("NaN" in (d or "") for d in drawn)
    assert "no such term" in root(page).nth(3).inner_text()


def test_what_happened_is_said_once_things_are_still(show: Any, page: Page) -> None:
    page.clock.install()
    w = LossWidget(losses(SHORT), SHORT, t=29, scale="x0")
    show(w)
    live = page.locator("[aria-live=polite]")
    page.clock.run_for(900)
    assert live.inner_text() == ""
    page.get_by_role("slider").press("ArrowRight")
    page.clock.run_for(900)
    w.t = 30
    a, b = (value or 0 for value in w.shown().values())
    assert live.inner_text() == f"t = 30, error of x0: irreducible {a:.3g}, trained {b:.3g}"
