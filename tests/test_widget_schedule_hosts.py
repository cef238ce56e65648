"""Where the widget of the schedule stands: twice on a page, in a frame, without scripts, on a phone."""

import html
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ddpm_lib.widgets import ScheduleWidget
from tests.schedule_parts import X0, root
from tests.widget_page import document


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(ScheduleWidget(X0, T=50), ScheduleWidget(kind="cosine"))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    first, second = root(page).nth(0), root(page).nth(1)
    first.get_by_role("slider", name="number of steps T").press("Home")
    first.get_by_role("radio", name="scaled linear").check()
    assert [first.get_attribute(f"data-{k}") for k in ("t-max", "kind")] == ["2", "scaled linear"]
    assert [second.get_attribute(f"data-{k}") for k in ("t-max", "kind")] == ["1000", "cosine"]
    assert second.get_by_role("radio", name="cosine").is_checked()
    assert not second.locator(".ddpm-strip").is_visible()  # no image, no pictures


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(ScheduleWidget(X0)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("slider", name="number of steps T").press("Home")
    assert frame.locator(".ddpm-schedule").get_attribute("data-t-max") == "2"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(ScheduleWidget(X0, T=300)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    story = "sqrt(alpha_bar_T) = 0.219: x_T still shows the image"
    assert page.get_by_role("img", name=story).is_visible()
    assert page.get_by_text(f"{story}. With scripts on").is_visible()
    context.close()


@pytest.mark.parametrize("arguments", [{"kind": "cosine"}, {"T": 10, "rescale": True}, {"T": 2}])
def test_it_fits_a_phone(show: Any, page: Page, arguments: dict[str, Any]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(ScheduleWidget(X0, **arguments))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(show: Any) -> None:
    tree = show(ScheduleWidget(X0, T=500)).locator("body").aria_snapshot()
    for expected in (
        'group "Choose a noise schedule"',
        'img "x t at t = 0"',
        'img "x t at t = 500"',
        'img "alpha bar t against t',
        'img "log SNR against t',
        'meter "weight of the image left at T"',
        'slider "number of steps T"',
        'slider "beta min"',
        'slider "beta max"',
        'radiogroup "Schedule"',
        'radio "scaled linear"',
        'checkbox "scale by 1000 / T"',
        'button "The paper\u2019s values"',
    ):
        assert expected in tree
