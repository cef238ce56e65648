"""The widgets of the built book, moved from the keyboard over http and from the disk; and the pages without scripts."""

import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.visit import WIDGET_PAGES, source_of, visit
from tests.visit import base as base
from tests.visit import http as http
from tools.serve import HTML

pytestmark = pytest.mark.pages

DERIVING = [f"book/{name}.html" for name in ("forward", "posterior", "loss", "sampling")]


def picture(widget: Locator) -> str:
    """Everything that a widget draws, as text."""
    drawn: str = widget.evaluate(
        "(w) => [...w.querySelectorAll('canvas')].map((c) => c.toDataURL())"
        ".concat([...w.querySelectorAll('svg')].map((s) => s.outerHTML)).join()"
    )
    return drawn


def test_there_are_pages_with_widgets() -> None:
    assert set(DERIVING) <= set(WIDGET_PAGES)


@pytest.mark.parametrize("path", WIDGET_PAGES)
def test_every_slider_moves_its_picture(browser: Browser, base: str, path: str) -> None:
    presses = (
        10 if base.startswith("http") else 1
    )  # where the page lies is nothing to a slider: once is enough
    visited = visit(browser, base, path)
    hosts = visited.page.locator(".ddpm-host").all()
    assert hosts
    for host in hosts:
        if host.locator(".ddpm-generate").count():
            continue  # its slider waits for a press: the next test
        if host.locator(".ddpm-learn, .ddpm-digits").count():
            continue  # a worker answers its sliders: the two tests after that
        sliders = [s for s in host.get_by_role("slider").all() if s.is_visible() and s.is_enabled()]
        assert sliders
        for slider in sliders:
            expect(slider).to_have_accessible_name(re.compile(r"\w"))
            pictures, values = set(), set()
            for key in ("Home", *["ArrowRight"] * presses, "End"):
                if key == "ArrowRight" and len(pictures) == 3:
                    continue  # more of them would show no more
                slider.press(key)
                values.add(slider.input_value())
                pictures.add(picture(host))
            assert len(pictures) >= 3, (
                f"The keys moved a slider to {values}, and there were {len(pictures)} pictures."
            )
    complaints = visited.end()
    assert not complaints, "; ".join(complaints)


def test_a_network_trains_in_the_page(browser: Browser, base: str) -> None:
    visited = visit(browser, base, "book/play.html")
    widget = visited.page.locator(".ddpm-learn")
    before = picture(widget)
    widget.get_by_role("button", name="Train").press("Enter")
    expect(widget.locator(".ddpm-word").first).to_contain_text(re.compile(r"after [\d,]{3,} steps"))
    widget.get_by_role("button", name="Pause").press("Enter")
    slider, pictures = widget.get_by_role("slider", name=re.compile("time t")), {before}
    for key in ("Home", "End"):
        slider.press(key)
        visited.page.wait_for_function(
            "(old) => !old.includes([...document.querySelectorAll('.ddpm-learn canvas')].map((c) => c.toDataURL())"
            ".concat([...document.querySelectorAll('.ddpm-learn svg')].map((s) => s.outerHTML)).join())",
            arg=list(pictures),
        )
        pictures.add(picture(widget))
    complaints = visited.end()
    assert not complaints, "; ".join(complaints)


def test_a_network_learns_digits_in_the_page(browser: Browser, base: str) -> None:
    visited = visit(browser, base, "book/play.html")
    widget = visited.page.locator(".ddpm-digits")

    def digits() -> list[str]:
        return [file for file in visited.loaded if file == "_static/train-digits.js"]

    assert not digits()  # not before the reader asks
    before = picture(widget)
    widget.get_by_role("button", name="Train").press("Enter")
    expect(widget).to_have_attribute("data-steps", re.compile("[3-9]"))
    widget.get_by_role("button", name="Pause").press("Enter")
    expect(widget).to_have_attribute("data-saved", "true")
    expect(widget).to_have_attribute("data-drawn", re.compile("[0-9]"))
    assert picture(widget) != before
    assert len(digits()) == 1
    complaints = visited.end()
    assert not complaints, "; ".join(complaints)


@pytest.mark.parametrize("path", [path for path in WIDGET_PAGES if "GenerateWidget(" in source_of(path)])
def test_a_press_draws_a_picture(browser: Browser, base: str, path: str) -> None:
    visited = visit(browser, base, path)
    page = visited.page

    def networks() -> list[str]:  # the shipped one, or the one that the chapter trained
        return [
            file for file in visited.loaded if re.match(r"_static/(generate-weights|network-.*)\.js$", file)
        ]

    assert not networks()  # not before the reader asks
    widget = page.locator(".ddpm-generate").first
    widget.get_by_role("button", name="Generate").press("Enter")
    expect(widget).to_have_attribute("data-state", re.compile("done|error"))
    assert widget.get_attribute("data-state") == "done", widget.locator(".ddpm-status").inner_text()
    assert len(networks()) == 1
    slider, pictures = widget.get_by_role("slider", name="step, through"), set()
    for key in ("Home", "PageUp", "End"):
        slider.press(key)
        pictures.add(picture(widget))
    assert len(pictures) == min(3, 1 + int(slider.get_attribute("max") or 0))  # one step has two ends
    complaints = visited.end()
    assert not complaints, "; ".join(complaints)


@pytest.mark.parametrize("path", [path for path in WIDGET_PAGES if "EditWidget(" in source_of(path)])
def test_a_press_edits(browser: Browser, base: str, path: str) -> None:
    visited = visit(browser, base, path)
    for widget in visited.page.locator(".ddpm-edit, .ddpm-steer").all():
        before = picture(widget)
        widget.get_by_role("button", name="Generate").press("Enter")
        expect(widget).to_have_attribute("data-state", re.compile("done|error"))
        assert widget.get_attribute("data-state") == "done", widget.locator(".ddpm-status").inner_text()
        assert picture(widget) != before
    complaints = visited.end()
    assert not complaints, "; ".join(complaints)


@pytest.mark.parametrize("path", WIDGET_PAGES)
def test_without_scripts_the_pictures_still_show(browser: Browser, path: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{HTML.as_uri()}/{path}", wait_until="load")
    fallbacks = page.locator(".ddpm-fallback img").all()
    assert len(fallbacks) == page.locator(".ddpm-host").count() > 0
    for fallback in fallbacks:
        expect(fallback).to_be_visible()
        box = fallback.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 40, f"A picture is {box['width']} x {box['height']}."
        assert fallback.get_attribute("alt"), "A picture has no alternative text."
    context.close()


@pytest.mark.parametrize("path", DERIVING)
def test_a_reader_can_check_herself_by_keyboard_and_without_scripts(browser: Browser, path: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{HTML.as_uri()}/{path}", wait_until="load")
    answers = page.locator("details.self-check").all()
    assert len(answers) >= 12
    for answer in answers:
        reply = answer.locator("p").first
        expect(reply).not_to_be_visible()
        answer.locator("summary").press("Enter")
        expect(reply).to_be_visible()
        assert re.match(r"(Right\.|No:) ", reply.inner_text())
    context.close()
