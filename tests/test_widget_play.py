"""The widget that trains, driven in headless Chromium as a reader drives it: from the disk, with pointer and keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ddpm_lib.models import MLPConfig
from ddpm_lib.web.learned import from_learned
from ddpm_lib.widgets import PlayWidget
from tests.axe import accessible_at_every_width
from tests.browser import pixels
from tests.play_page import press, root, steps, trained_for
from tests.widget_page import drive


def test_it_trains_from_the_disk_and_what_it_saves_loads_in_python_and_in_the_page(
    show: Any, tmp_path: Any
) -> None:
    page: Page = show(PlayWidget())
    expect(root(page)).to_have_attribute("data-least", re.compile(r"0\.\d"))  # the worker has answered
    planes = page.locator(".ddpm-plane")
    before = [pixels(planes.nth(i)) for i in (0, 1)]
    trained_for(page, 300)
    least, loss = (float(root(page).get_attribute(f"data-{name}") or "nan") for name in ("least", "loss"))
    assert 0.8 * least < loss < 1.6 * least < 1.0
    after = [pixels(planes.nth(i)) for i in (0, 1)]
    assert (before[0] != after[0]).any()
    assert (before[1] == after[1]).all()  # the exact answer does not change
    assert re.match(r"\d+ steps, \d+ a second here\.", page.locator(".ddpm-status").inner_text())
    with page.expect_download() as download:
        press(page, "Save weights")
    path = tmp_path / "learned.json"
    download.value.save_as(path)
    trained = from_learned(path)
    assert trained.step == steps(page)
    assert trained.model_config == MLPConfig(width=32, predicts="eps")
    press(page, "Reset")
    expect(root(page)).to_have_attribute("data-steps", "0")
    for other in ("v, a mixture of both", "cosine"):
        page.get_by_role("radio", name=other, exact=True).check(force=True)
    page.get_by_role("slider", name="width of the network").press("End")
    page.get_by_role("slider", name="number of noising steps T").press("Home")
    page.locator("input[type=file]").set_input_files(path)
    for own in ("eps, the noise", trained.schedule.name):  # the controls follow the file
        expect(page.get_by_role("radio", name=own, exact=True)).to_be_checked()
    for name, value in (("width of the network", "32 features"), ("number of noising steps T", "T = 100")):
        slider = page.get_by_role("slider", name=name)
        expect(slider).to_have_attribute("aria-valuetext", value)
    expect(root(page)).to_have_attribute("data-steps", str(trained.step))
    expect(page.locator(".ddpm-status")).to_contain_text("A network that was trained")


def test_one_step_is_one_step_and_a_new_recipe_begins_anew(show: Any) -> None:
    page: Page = show(PlayWidget())
    press(page, "One step")
    press(page, "One step")
    expect(root(page)).to_have_attribute("data-steps", "2")
    page.get_by_role("slider", name="learning rate").press("ArrowLeft")
    press(page, "One step")
    expect(root(page)).to_have_attribute("data-steps", "3")  # the rate alone is changed under way
    for name in ("x0, the point", "cosine", "rings"):
        press(page, "One step")
        page.get_by_role("radio", name=name, exact=True).check(force=True)
        expect(root(page)).to_have_attribute("data-steps", "0")
        expect(root(page)).to_have_attribute("data-state", "idle")


def test_a_page_out_of_sight_rests_and_goes_on_when_it_is_seen_again(show: Any) -> None:
    page: Page = show(PlayWidget())

    def be(hidden: bool) -> None:
        page.evaluate(
            "hidden => (Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }),"
            " document.dispatchEvent(new Event('visibilitychange')))",
            hidden,
        )

    be(True)
    be(False)
    expect(root(page)).to_have_attribute("data-state", "idle")  # who was not training does not begin
    press(page, "Train")
    page.wait_for_function("Number(document.querySelector('.ddpm-learn').dataset.steps) >= 20")
    be(True)
    expect(root(page)).to_have_attribute("data-state", "paused")
    expect(page.locator(".ddpm-status")).to_contain_text("out of sight")
    expect(page.get_by_role("button", name="Save weights")).to_be_enabled()  # the last step has come
    rested = steps(page)
    be(False)
    expect(root(page)).to_have_attribute("data-state", "training")
    page.wait_for_function("n => Number(document.querySelector('.ddpm-learn').dataset.steps) > n", arg=rested)
    press(page, "Pause")
    be(True)
    be(False)
    expect(root(page)).to_have_attribute("data-state", "paused")  # who paused it is not overruled


@pytest.mark.parametrize("kind", ["DDPM", "DDIM", "ODE, Heun's steps"])
def test_a_walk_goes_from_noise_to_data_beside_the_exact_one(show: Any, page: Page, kind: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # the walk waits for the reader
    show(PlayWidget(schedule="linear", steps=20))
    page.get_by_role("radio", name=kind, exact=True).check(force=True)
    press(page, "Walk")
    expect(root(page)).to_have_attribute("data-view", "walk")
    expect(root(page)).to_have_attribute("data-t", "100")
    planes = page.locator(".ddpm-plane")
    start = pixels(planes.nth(1))
    page.get_by_role("slider", name=re.compile("time t")).press("Home")
    expect(planes.nth(1)).to_have_attribute("aria-label", re.compile("a walk at t = 0;"))
    assert (pixels(planes.nth(1)) != start).any()
    press(page, "Train")
    expect(root(page)).to_have_attribute("data-view", "samples")
    press(page, "Pause")


def test_what_the_reader_draws_is_learned_by_pointer_and_by_keys(show: Any) -> None:
    page: Page = show(PlayWidget(data="drawing"))
    press(page, "Clear")
    expect(page.get_by_role("button", name="Train")).to_be_disabled()
    expect(page.locator(".ddpm-status")).to_contain_text("draw something first")
    board = page.locator(".ddpm-pad")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"], steps=8)
    page.mouse.up()
    expect(page.get_by_role("button", name="Train")).to_be_enabled()
    trained_for(page, 20)
    press(page, "Clear")
    board.focus()
    for key in (" ", *["ArrowRight"] * 6):
        board.press(key)
    expect(page.get_by_role("button", name="Train")).to_be_enabled()


BROKEN = {
    "throws": "throw Error('no such thing')",
    "none": "delete window.Worker",
    "forbidden": "void (window.Worker = class { constructor() { throw Error('forbidden here'); } })",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_worker_that_fails_is_one_sentence(page: Page, how: str) -> None:
    page.set_content("<main></main>")
    widget = PlayWidget()
    if how == "throws":
        widget.set_trait("worker", BROKEN[how])
    else:
        page.evaluate(BROKEN[how])
    drive(page, widget, clear=False)
    expect(root(page)).to_have_attribute("data-state", "error")
    said = page.locator(".ddpm-status").inner_text()
    assert re.search(r"(Press Reset to begin anew|try another one|open it by itself)\.$", said), said


@pytest.mark.parametrize("state", ["training over", "a walk", "a drawing", "an error"])
def test_every_state_is_accessible(show: Any, page: Page, state: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    widget = PlayWidget(data="drawing" if state == "a drawing" else "moons")
    if state == "an error":
        widget.set_trait("worker", "throw Error('no')")
    show(widget)
    if state != "an error":
        press(page, "One step")
        expect(root(page)).to_have_attribute("data-steps", "1")
    if state == "a walk":
        press(page, "Walk")
        expect(root(page)).to_have_attribute("data-view", "walk")
    accessible_at_every_width(page)
