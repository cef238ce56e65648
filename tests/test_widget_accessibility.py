"""axe-core on every widget, in each of its states, light and dark, wide and narrow."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.axe import violations
from tests.generator_page import fake, finish, generate
from tests.widget_page import WIDGETS, made

# A page has a heading and a landmark, which are the book's business.
HOST = ".ddpm-host"


def assert_accessible(page: Page, at_an_end: bool = False) -> None:
    """The scheme matters to colors alone; at a slider's end, where it has moved, they are looked at on a desk only."""
    found = {}
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            colors = width == 1280 or not at_an_end
            found[width, scheme] = violations(page, HOST, colors, others=scheme == "light")
    assert {key: lines for key, lines in found.items() if lines} == {}


@pytest.mark.parametrize("name", WIDGETS)
def test_as_it_is_shown_and_at_its_ends(show: Any, name: str) -> None:
    page: Page = show(made(name))
    expect(page.locator(".ddpm-widget")).to_be_visible()
    assert_accessible(page)
    for key in ("Home", "End"):
        for slider in page.get_by_role("slider").all():
            if slider.is_visible() and slider.is_enabled():
                slider.press(key)
        assert_accessible(page, at_an_end=True)


def test_the_generator_that_has_drawn(opened: Any) -> None:
    page = opened(fake(more=True))
    generate(page).click()
    finish(page)
    assert_accessible(page)


def test_the_generator_that_could_not(opened: Any) -> None:
    page = opened(fake(), weights="")
    generate(page).click()
    finish(page, "error")
    assert_accessible(page)


def test_forced_colors_leave_sliders_and_choices_visible(show: Any) -> None:
    page: Page = show(made("scrub"))
    page.emulate_media(forced_colors="active")
    faces = [
        page.get_by_role("radio", name=name).locator("xpath=following-sibling::*[1]")
        for name in ("linear", "cosine")
    ]
    outlines = [face.evaluate("(e) => getComputedStyle(e).outlineStyle") for face in faces]
    assert outlines == ["solid", "none"]
    slider = page.get_by_role("slider").first
    before = slider.screenshot()
    slider.evaluate("(e) => { e.value = Number(e.max); }")
    assert slider.screenshot() != before  # its thumb is drawn, and elsewhere now
