"""The trajectory: the page's pictures against the recorded states, its controls, its words."""

import html
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Locator, Page

from ddpm_lib.widgets import TrajectoryWidget
from tests.recorded import GOOD, RUNS
from tests.shown import grey
from tests.widget_page import document


def root(page: Page) -> Locator:
    return page.locator(".ddpm-trajectory")


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="time step t, backwards")


def assert_drawn(page: Page, w: TrajectoryWidget) -> None:
    """Every picture on the page is what Python says, to a grey level of the canvas."""
    for name, (xt, x0_hat) in w.shown().items():
        assert (
            np.abs(grey(page, f"{name}: the noisy image x t")[..., 0] - (xt.numpy() + 1) * 127.5).max() <= 1
        )
        if page.get_by_role("img", name=f"{name}: the guess").count():  # not at T, where there is none yet
            assert (
                np.abs(grey(page, f"{name}: the guess x 0 hat")[..., 0] - (x0_hat.numpy() + 1) * 127.5).max()
                <= 1
            )


def test_the_page_draws_what_was_recorded(show: Any) -> None:
    w = TrajectoryWidget(RUNS)
    page = show(w)
    assert_drawn(page, w)
    assert page.get_by_role("img", name="the guess").count() == 0
    for key, t in {"ArrowRight": 400, "ArrowUp": 300, "End": 0, "ArrowLeft": 100, "Home": 500}.items():
        slider(page).press(key)
        assert root(page).get_attribute("data-t") == str(t)
        assert slider(page).get_attribute("aria-valuetext") == f"t = {t} of 500"
        w.t = t
        assert_drawn(page, w)
        assert page.get_by_role("img", name="the guess").count() == (0 if t == 500 else 1 if t == 400 else 2)
    page.get_by_role("radio", name="image 3").check()
    w.image = 2
    assert_drawn(page, w)


def test_where_nothing_was_guessed_it_says_so(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    show(TrajectoryWidget(RUNS))
    words = page.get_by_text("no guess yet")
    assert [words.nth(i).is_visible() for i in (0, 1)] == [True, True]
    slider(page).press("ArrowRight")  # 400, where the ResNet's nearest time is T still
    assert [words.nth(i).is_visible() for i in (0, 1)] == [True, False]
    slider(page).press("End")
    assert [words.nth(i).is_visible() for i in (0, 1)] == [False, False]


def test_the_pictures_fill_the_width(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    show(TrajectoryWidget(RUNS))
    em = root(page).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    widths = [(page.locator(".ddpm-row canvas").nth(i).bounding_box() or {})["width"] for i in range(4)]
    assert min(widths) >= 16 * em


def test_play_runs_from_noise_to_the_picture(show: Any, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.clock.install()
    show(TrajectoryWidget(RUNS))
    page.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(7000)
    assert root(page).get_attribute("data-t") == "0"
    page.get_by_role("button", name="Play").wait_for()  # it has ended


def test_two_on_a_page_are_independent_and_leave_nothing_global(show: Any, page: Page) -> None:
    show()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    show(TrajectoryWidget(RUNS), TrajectoryWidget({"one": GOOD}, t=100))
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0
    root(page).nth(0).get_by_role("slider").press("End")
    assert [root(page).nth(i).get_attribute("data-t") for i in (0, 1)] == ["0", "100"]


def test_it_works_in_a_sandboxed_frame(page: Page) -> None:
    source = html.escape(document(TrajectoryWidget(RUNS)))
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{source}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("slider").press("End")
    assert frame.locator(".ddpm-trajectory").get_attribute("data-t") == "0"


def test_without_scripts_the_picture_tells_it(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(document(TrajectoryWidget(RUNS)), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role(
        "img", name="A picture of U-Net coming out of noise, at t = 500, 400"
    ).is_visible()
    context.close()


def test_it_fits_a_phone(show: Any, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    show(TrajectoryWidget(RUNS))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_control_has_a_name(show: Any) -> None:
    tree = show(TrajectoryWidget(RUNS)).locator("body").aria_snapshot()
    for expected in (
        'group "Pictures coming out of noise"',
        'img "ResNet: the noisy image x t',
        'slider "time step t, backwards"',
        'radiogroup "Image"',
        'radio "image 2"',
        'button "Play"',
    ):
        assert expected in tree
