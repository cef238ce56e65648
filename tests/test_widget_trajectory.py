"""The trajectory: the page's pictures against the recorded states, its controls, its words."""

from dataclasses import replace
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page

from ddpm_lib.widgets import TrajectoryWidget
from tests.recorded import RUNS
from tests.shown import grey


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


def test_a_guess_that_was_made_at_the_start_is_shown_there(show: Any, page: Page) -> None:
    first, *later = RUNS["U-Net"]
    run = [replace(first, x0_hat=later[0].x0_hat), *later]
    w = TrajectoryWidget({"oracle": run})
    page.set_viewport_size({"width": 1280, "height": 900})
    show(w)
    assert page.get_by_role("img", name="oracle: the guess").count() == 1
    assert not page.get_by_text("no guess yet").is_visible()
    assert_drawn(page, w)


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
