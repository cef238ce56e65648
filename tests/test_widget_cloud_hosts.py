"""Where the cloud stands: twice on a page, in a frame, without scripts, on a phone."""

import html
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from ddpm_lib.widgets import CloudWidget
from tests.cloud_parts import CLOUDS, GOOD, root
from tests.widget_page import document


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(CloudWidget(CLOUDS), CloudWidget(CLOUDS, t=77))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    root(page).nth(0).get_by_role("slider").press("ArrowRight")
    assert [root(page).nth(i).get_attribute("data-t") for i in (0, 1)] == ["1", "77"]


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(CloudWidget(CLOUDS)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("slider").press("End")
    assert frame.locator(".ddpm-cloud").get_attribute("data-t") == "500"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(CloudWidget(CLOUDS, reverse=GOOD, direction="reverse")), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role(
        "img", name="at t = 500, 150, 50, 0, out of noise, on the recording called recorded"
    ).is_visible()
    context.close()


def test_it_fits_a_phone(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(
        CloudWidget(
            CLOUDS, reverse={"with noise": GOOD, "means only": GOOD, "DDIM": GOOD}, direction="reverse"
        )
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(show: Any) -> None:
    tree = show(CloudWidget(CLOUDS, reverse=GOOD)).locator("body").aria_snapshot()
    for expected in (
        'group "A cloud of points, and t"',
        'img "the cloud of points',
        'slider "time step t"',
        'radiogroup "Cloud"',
        'radio "spiral"',
        'radiogroup "Direction"',
        'radio "reverse"',
        'button "New noise"',
        'button "Play"',
    ):
        assert expected in tree
