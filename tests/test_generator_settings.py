"""The generator's control and picture agree: what has been computed goes when something else is chosen."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ddpm_lib.widgets.host.noise import noise
from tests.generator_page import fake, finish, generate, levels, root, scrub
from tests.shown import grey


def choose(page: Page, what: str) -> None:
    """Another digit, sampler, and so on, by the keyboard."""
    match what:
        case "digit":
            page.get_by_role("radio", name="8", exact=True).check()
        case "sampler":
            page.get_by_role("radio", name="DDPM").check()
        case "seed":
            page.get_by_role("spinbutton", name="seed").fill("7")
            page.get_by_role("spinbutton", name="seed").press("Tab")
        case _:
            page.get_by_role("slider", name=what).press("ArrowRight")


SETTINGS = ["digit", "sampler", "number of steps", "eta", "guidance w", "seed", "number of images"]


@pytest.mark.parametrize("when", ["during", "after"])
@pytest.mark.parametrize("what", SETTINGS)
def test_another_choice_takes_the_old_picture_away(opened: Any, what: str, when: str) -> None:
    page = opened(fake(more=True, steps=20), pace=1 if when == "after" else 60)
    generate(page).click()
    if when == "after":
        finish(page)
    else:
        page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 2")
    choose(page, what)
    assert (root(page).get_attribute("data-state"), root(page).get_attribute("data-step")) == ("idle", "0")
    assert root(page).get_attribute("data-ms") is None
    seed = 7 if what == "seed" else 0
    shown = grey(page)[:28, :28, 0]
    assert np.abs(shown - levels(noise(seed, (28, 28)))).max() <= 1
    page.wait_for_timeout(200)
    assert root(page).get_attribute("data-step") == "0"  # nothing comes late
    generate(page).click()
    expect(root(page)).to_have_attribute("data-state", re.compile("running|done"))


def test_a_choice_that_is_no_choice_leaves_the_picture(opened: Any) -> None:
    page = opened(fake(digit=3))
    generate(page).click()
    finish(page)
    page.locator("summary").click()
    page.get_by_role("radio", name="3", exact=True).check()
    assert root(page).get_attribute("data-state") == "done"


def test_the_caption_is_of_the_picture_that_is_shown(opened: Any) -> None:
    page = opened(fake(seed=4))
    words = page.locator(".ddpm-generate .ddpm-word").nth(1)
    guess = page.locator(".ddpm-generate .ddpm-word").nth(2)
    assert guess.inner_text() == "no guess yet"
    assert words.inner_text() == "noisy, seed 4"
    assert page.get_by_role("img", name="the noisy image x t at t = 500, seed 4").count() == 1
    generate(page).click()
    finish(page)
    assert words.inner_text() == "clean, seed 4"
    assert page.get_by_role("img", name="the clean image x t at t = 0, seed 4").count() == 1
    assert guess.inner_text() == "the guess"
    scrub(page).press("Home")
    assert words.inner_text() == "noisy, seed 4"


@pytest.mark.parametrize("go_on", ["Resume", "One step"])
def test_who_goes_on_after_scrubbing_back_sees_the_steps(opened: Any, go_on: str) -> None:
    page = opened(fake(steps=60), pace=30)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 3")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(200)
    step = int(root(page).get_attribute("data-step") or 0)
    scrub(page).press("Home")
    assert root(page).get_attribute("data-step") == "0"
    page.get_by_role("button", name=go_on).click()
    page.wait_for_function(f"document.querySelector('.ddpm-generate').dataset.step > {step}")


def test_how_long_many_images_take_is_said_before_and_while_they_are_drawn(opened: Any) -> None:
    page = opened(fake(n=16, more=True), pace=200)
    status = page.locator(".ddpm-status")
    assert status.inner_text().endswith("16 images take 16 times as long as one.")
    generate(page).click()
    expect(status).to_have_text(re.compile(r"^Step \d+ of 20, about \d+(\.\d)? s left\.$"))
    choose(page, "seed")  # once a step has been timed, it is said in seconds
    expect(status).to_have_text(
        re.compile(r"16 images take 16 times as long as one, about \d+(\.\d)? s here\.$")
    )
    page.get_by_role("slider", name="number of images").press("Home")
    expect(status).not_to_have_text(re.compile("images take"))
