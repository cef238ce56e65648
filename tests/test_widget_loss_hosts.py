"""Where the widget of the loss stands: twice on a page, in a frame, without scripts, on a phone."""

import html
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page

from ddpm_lib.widgets import LossWidget
from ddpm_lib.widgets.loss_by_t.loss_by_t import SCALES
from tests.loss_parts import LONG, SHORT, assert_shown, losses, root, values
from tests.widget_page import document, drive


def test_it_works_as_an_anywidget(page: Page) -> None:
    w = LossWidget(losses(LONG), LONG, t=20)
    drive(page, w)
    page.evaluate("model.set('t', 250); model.set('scale', 'score'); model.set('axis', 'log SNR')")
    w.t, w.scale = 250, "score"
    assert_shown(page, w)
    page.get_by_role("slider").press("ArrowLeft")
    assert page.evaluate("saved.t") == 240


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(LossWidget(losses(SHORT), SHORT, t=9), LossWidget(losses(LONG), LONG, t=9))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    root(page).nth(0).get_by_role("slider").press("End")
    root(page).nth(1).get_by_role("radio", name="score").check()
    assert [root(page).nth(i).get_attribute("data-t") for i in (0, 1)] == ["60", "9"]
    assert [root(page).nth(i).get_attribute("data-scale") for i in (0, 1)] == ["eps", "score"]


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(LossWidget(losses(SHORT), SHORT)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    page.frames[1].get_by_role("slider").press("End")
    assert page.frames[1].locator(".ddpm-loss").get_attribute("data-t") == "60"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(LossWidget({"a": torch.full((61,), 0.25)}, SHORT, t=30)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("img", name="At t = 30: a 0.25").is_visible()
    assert page.get_by_text("With scripts on").is_visible()
    context.close()


@pytest.mark.parametrize("scale", SCALES)
def test_it_fits_a_phone(show: Any, page: Page, scale: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    w = LossWidget(losses(LONG, 4), LONG, scale=scale)
    w.axis = "log SNR"
    show(w)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_name_cannot_break_out_of_the_page(show: Any) -> None:
    hostile = "</script><script>document.title='broken'</script>\"'<!--&"
    page = show(LossWidget({hostile: torch.ones(61)}, SHORT))
    assert page.title() == "w"
    assert list(values(page)) == [hostile]


def test_every_control_has_a_name(show: Any) -> None:
    page = show(LossWidget(losses(SHORT), SHORT, scale="x0"))
    tree = page.locator("body").aria_snapshot()
    for expected in (
        'group "The loss at each t"',
        'img "the loss against time, logarithmic',
        'slider "time step t"',
        'table "the curves at this t"',
        'rowheader "trained"',
        'math "1 minus alpha bar t, over alpha bar t"',
        'radiogroup "Error of"',
        'radio "eps"',
        'radio "in the bound"',
        'radiogroup "Against"',
        'radio "log SNR"',
    ):
        assert expected in tree
