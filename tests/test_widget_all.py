"""What holds for all twelve widgets: keys, words, and looks in a notebook that styles what it shows."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ddpm_lib.widgets import ScrubWidget
from tests.shown import X0
from tests.widget_page import WIDGETS, made

# As Lumino's CommandRegistry does in JupyterLab 4 and Notebook 7: from the focus outwards, until an element matches the
# shortcut's selector or asks for silence. Lab's arrows and Enter have the selector `:focus:not(:read-write)`.
LUMINO = """addEventListener("keydown", (event) => {
  for (let e = event.target; e; e = e.parentElement) {
    if (e.hasAttribute("data-lm-suppress-shortcuts")) return;
    if (e.matches(":focus:not(:read-write)")) return event.preventDefault(), event.stopPropagation();
  }
}, true);"""
# Rules of the classic notebook's style.min.css.
CLASSIC = """html { font-size: 10px; } body { font-size: 14px; }
div.output_area svg { max-width: 100%; height: auto; } .rendered_html svg { max-width: 100%; height: auto; }
label { display: inline-block; max-width: 100%; margin-bottom: 5px; font-weight: bold; }
output { display: block; padding-top: 7px; font-size: 13px; color: #555; }"""

# The page becomes such a notebook: its rules before ours, its boxes around the widget.
NOTEBOOK = """(css) => {
  document.head.prepend(Object.assign(document.createElement("style"), { textContent: css }));
  document.body.className = "rendered_html";
  const area = Object.assign(document.createElement("div"), { className: "output_area" });
  const host = document.querySelector(".ddpm-host");
  host.before(area);
  area.append(host);
}"""
WIDE = """(all) => all.flatMap((panel) =>
  [...panel.children].filter((e) => e.scrollWidth > panel.clientWidth + 1).map((e) => e.textContent))"""
TOPS = "(all) => all.map((e) => Math.round(e.getBoundingClientRect().top))"


@pytest.mark.parametrize("name", WIDGETS)
def test_every_control_keeps_its_keys_in_jupyterlab(show: Any, page: Page, name: str) -> None:
    page.add_init_script(LUMINO)
    show(made(name))
    moved = 0
    for slider in page.get_by_role("slider").all():
        if not (slider.is_visible() and slider.is_enabled()):
            continue
        before = {slider.input_value()}
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):
            slider.press(key)
            before.add(slider.input_value())
        assert len(before) > 1, slider.get_attribute("aria-label")
        moved += 1
    assert moved
    for group in page.get_by_role("radiogroup").all():
        group.get_by_role("radio", checked=True).press("ArrowDown")
        expect(group.get_by_role("radio").nth(0)).not_to_be_checked()
    silent = page.locator(
        ".ddpm-widget :is(button, input, summary, [tabindex]):not([data-lm-suppress-shortcuts])"
    )
    assert silent.count() == 0


@pytest.mark.parametrize("name", WIDGETS)
def test_sliders_say_their_value_in_words_and_pictures_what_they_show(
    show: Any, page: Page, name: str
) -> None:
    show(made(name))
    for slider in page.get_by_role("slider").all():
        assert re.search("[A-Za-z]", slider.get_attribute("aria-valuetext") or ""), slider.get_attribute(
            "aria-label"
        )
    names = ".ddpm-widget [role=img]:not(.ddpm-bar)"
    before = page.locator(names).evaluate_all("all => all.map((e) => e.ariaLabel)")
    slider = page.locator(".ddpm-widget input[type=range]:enabled:visible").last
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    if name == "generate":  # its last slider is the number of images
        page.get_by_role("button", name="New seed").click()
    assert before != page.locator(names).evaluate_all("all => all.map((e) => e.ariaLabel)")


@pytest.mark.parametrize("name", WIDGETS)
def test_the_classic_notebook_leaves_its_looks_alone(show: Any, page: Page, name: str) -> None:
    show(made(name))
    sizes = """() => [...document.querySelectorAll(".ddpm-widget :is(svg, input, label, output)")]
        .map((e) => [e.offsetWidth ?? 0, e.getBoundingClientRect().width, e.getBoundingClientRect().height,
                     getComputedStyle(e).fontWeight])"""
    page.add_style_tag(content="html, body { font-size: 14px; }")
    before = page.evaluate(sizes)
    page.evaluate(
        "css => document.head.prepend(Object.assign(document.createElement('style'), { textContent: css }))",
        CLASSIC,
    )
    page.evaluate("document.body.className = 'rendered_html'; document.body.innerHTML")
    page.evaluate(NOTEBOOK, CLASSIC)
    assert page.evaluate(sizes) == before
    assert page.locator(".ddpm-widget").evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 13


def test_at_320_pixels_no_label_runs_into_the_next(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    show(ScrubWidget(X0, seed=12345, t=200))
    panels = page.locator(".ddpm-panel")
    assert panels.count() == 3
    assert panels.evaluate_all(WIDE) == []
    assert len(set(page.locator(".ddpm-panel canvas").evaluate_all(TOPS))) == 1
