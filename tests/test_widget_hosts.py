"""Where any of the widgets may stand: twice on a page, in a sandboxed frame, without scripts, on a phone."""

import html
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from ddpm_lib.schedule import linear_schedule
from ddpm_lib.widgets import (
    CloudWidget,
    GenerateWidget,
    LossWidget,
    PosteriorWidget,
    ScheduleWidget,
    ScrubWidget,
    Widget,
)
from ddpm_lib.widgets.loss_by_t.loss_by_t import SCALES
from tests.cloud_parts import CLOUDS, GOOD
from tests.shown import X0
from tests.widget_page import WIDGETS, document, made

GLOBALS = "Object.getOwnPropertyNames(window)"
FOUR = {name: torch.rand(501) for name in ("one", "two", "three", "the fourth, with a long name")}
# What needs more room than the widgets as a notebook makes them.
WIDEST = {
    "scrub": [ScrubWidget(torch.cat([X0] * 5))],
    "schedule": [
        ScheduleWidget(X0[0], kind="cosine"),
        ScheduleWidget(X0[0], T=10, rescale=True),
        ScheduleWidget(T=2),
    ],
    "posterior": [PosteriorWidget(t=50, s=0, xt=-3.0), PosteriorWidget(t=50, s=1, x0=-1.0, xt=3.0)],
    "loss": [LossWidget(FOUR, linear_schedule(500), scale=scale) for scale in SCALES],
    "cloud": [
        CloudWidget(
            CLOUDS, reverse=dict.fromkeys(("with noise", "means only", "DDIM"), GOOD), direction="reverse"
        )
    ],
    "generate": [
        GenerateWidget(steps=20, mode=mode, n=16, more=True) for mode in ("noise", "drawing", "hole")
    ],
}


def slider(root: Locator) -> Locator:
    """The first slider that a reader can move."""
    return root.locator("input[type=range]:enabled:visible").first


def moves(one: Locator) -> None:
    """A slider answers to the arrow keys, by a step away from where it stood."""
    before = one.input_value()
    one.press("ArrowRight")
    if one.input_value() == before:  # it stood at its end
        one.press("ArrowLeft")
    assert one.input_value() != before


@pytest.mark.parametrize("name", WIDGETS)
def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page, name: str) -> None:
    show()
    names = set(page.evaluate(GLOBALS))
    show(made(name), made(name))
    roots = page.locator(".ddpm-widget")
    expect(roots).to_have_count(2)
    assert set(page.evaluate(GLOBALS)) == names
    assert page.locator("[id]").count() == 0
    other = slider(roots.nth(1))
    words = other.get_attribute("aria-valuetext")
    moves(slider(roots.nth(0)))
    assert other.get_attribute("aria-valuetext") == words


@pytest.mark.parametrize("name", WIDGETS)
def test_it_works_in_a_sandboxed_frame(page: Page, name: str) -> None:
    """As in Colab: the frame may run scripts, and has no origin, hence no storage."""
    source = html.escape(document(made(name)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}" width="1000" height="900"></iframe>')
    frame = page.frame_locator("iframe")
    expect(slider(frame.locator(".ddpm-widget"))).to_be_visible()
    one = slider(frame.locator(".ddpm-widget"))
    words = one.get_attribute("aria-valuetext")
    moves(one)
    assert one.get_attribute("aria-valuetext") != words


@pytest.mark.parametrize("name", WIDGETS)
def test_without_scripts_a_picture_stands_there_and_says_what_it_shows(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(made(name)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    picture = page.locator(".ddpm-fallback img")
    assert picture.is_visible()
    assert len(picture.get_attribute("alt") or "") > 30
    assert picture.evaluate("e => e.complete && e.naturalWidth") > 100
    assert page.get_by_text("With scripts on").is_visible()
    context.close()


@pytest.mark.parametrize("name", WIDGETS)
def test_it_fits_a_phone(show: Any, page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    each: Widget
    for each in (made(name), *WIDEST.get(name, [])):
        if isinstance(each, LossWidget):
            each.axis = "log SNR"  # its longest words
        show(each)
        expect(slider(page.locator(".ddpm-widget"))).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert not page.locator(".ddpm-fallback").is_visible()
