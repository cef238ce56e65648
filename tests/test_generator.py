"""The generator: its states and its controls, with a fake engine in place of the network."""

import re
from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page, expect

from ddpm_lib.widgets.host.noise import noise
from tests.generator_page import fake, finish, generate, levels, root, scrub
from tests.shown import grey


def test_a_press_loads_the_weights_and_runs_to_the_end(opened: Any) -> None:
    page = opened(fake(seed=4), pace=4)
    assert root(page).get_attribute("data-state") == "idle"
    assert page.locator("script[src]").count() == 0  # nothing is loaded before the reader asks
    xT = noise(4, (28, 28))
    assert np.abs(grey(page)[..., 0] - levels(xT)).max() <= 1  # the noise that Python draws
    page.evaluate(
        """() => {
            const root = document.querySelector(".ddpm-generate");
            window.seen = [];
            new MutationObserver(() => seen.push(root.dataset.state)).observe(root, { attributes: true });
        }"""
    )
    generate(page).press("Enter")
    finish(page)
    assert list(dict.fromkeys(page.evaluate("seen"))) == ["loading", "running", "done"]
    assert (root(page).get_attribute("data-step"), root(page).get_attribute("data-t")) == ("20", "0")
    assert 80 <= int(root(page).get_attribute("data-ms") or 0) < 15_000
    assert "20 steps in" in page.locator(".ddpm-status").inner_text()
    end = torch.sin(4 + 3 + torch.arange(784).reshape(28, 28) / 30)  # seed 4, class 3
    assert np.abs(grey(page)[..., 0] - levels(end)).max() <= 1
    assert np.abs(grey(page, "the guess x 0 hat")[..., 0] - levels(end)).max() <= 1


def test_pause_one_step_and_resume(opened: Any) -> None:
    page = opened(fake(steps=100), pace=50)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 3")
    page.get_by_role("button", name="Pause").click()
    expect(root(page)).to_have_attribute("data-paused", "")
    page.wait_for_timeout(200)
    step = int(root(page).get_attribute("data-step") or 0)
    assert step < 100
    page.wait_for_timeout(200)
    assert root(page).get_attribute("data-step") == str(step)
    for k in (1, 2):
        page.get_by_role("button", name="One step").click()
        expect(root(page)).to_have_attribute("data-step", str(step + k))
    assert root(page).get_attribute("data-state") == "running"
    page.get_by_role("button", name="Resume").click()
    assert root(page).get_attribute("data-paused") is None
    finish(page)


def test_the_slider_goes_back_while_and_after_it_runs(opened: Any) -> None:
    page = opened(fake(steps=60), pace=8)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 5")
    scrub(page).press("Home")  # and the picture stays there, while the steps go on
    first = grey(page)
    assert root(page).get_attribute("data-step") == "0"
    finish(page)
    assert root(page).get_attribute("data-step") == "0"
    assert np.array_equal(first, grey(page))
    scrub(page).press("End")
    assert root(page).get_attribute("data-step") == "60"
    scrub(page).press("ArrowLeft")
    assert scrub(page).get_attribute("aria-valuetext") == "step 59 of 60, t = 8"
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "60"
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step > 59")


def test_cancel_keeps_what_was_computed(opened: Any) -> None:
    page = opened(fake(steps=200), pace=50)
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 3")
    page.get_by_role("button", name="Cancel").click()
    assert root(page).get_attribute("data-state") == "idle"
    step = int(root(page).get_attribute("data-step") or 0)
    page.wait_for_timeout(200)
    assert root(page).get_attribute("data-step") == str(step) != "0"
    scrub(page).press("Home")
    assert root(page).get_attribute("data-step") == "0"


def test_restart_begins_again_with_the_same_seed(opened: Any) -> None:
    page = opened(fake(steps=100, seed=3), pace=50)
    again = page.get_by_role("button", name="Restart")
    assert again.count() == 0  # nothing has been computed
    generate(page).click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 5")
    page.get_by_role("button", name="Pause").click()
    again.click()
    page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step < 5")
    expect(root(page)).to_have_attribute("data-state", "running")
    assert root(page).get_attribute("data-paused") is None
    expect(again).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    scrub(page).press("Home")
    assert np.abs(grey(page)[..., 0] - levels(noise(3, (28, 28)))).max() <= 1


def test_the_same_seed_gives_the_same_picture(opened: Any) -> None:
    page = opened(fake(seed=1))
    pictures = []
    for seed in (1, 2, 1):
        page.locator("summary").evaluate("s => s.parentElement.open = true")
        page.get_by_role("spinbutton", name="seed").fill(str(seed))
        page.get_by_role("spinbutton", name="seed").press("Tab")
        generate(page).click()
        finish(page)
        pictures.append(grey(page))
        page.get_by_role("button", name="Restart").click()
        finish(page)
        assert np.array_equal(grey(page), pictures[-1])
    assert np.array_equal(pictures[0], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])
    page.get_by_role("button", name="New seed").click()  # the old picture is not the new seed's
    assert root(page).get_attribute("data-state") == "idle"
    assert root(page).get_attribute("data-ms") is None


def test_what_is_chosen_is_what_the_engine_is_asked(opened: Any, page: Page) -> None:
    page.add_init_script(
        """window.asked = [];
        window.Worker = class extends Worker {
            postMessage(m) { if (m.type === "run") asked.push(m); super.postMessage(m); }
        };"""
    )
    opened(fake())
    page.locator("summary").click()
    page.get_by_role("radio", name="each in turn").check()
    page.get_by_role("radio", name="DDIM").press("ArrowRight")  # DDPM
    page.get_by_role("slider", name="number of steps").press("Home")
    page.get_by_role("slider", name="guidance w").press("ArrowRight")
    for _ in range(4):
        page.get_by_role("slider", name="number of images").press("ArrowRight")
    generate(page).click()
    finish(page)
    asked = page.evaluate("({ ...asked[0], x: asked[0].x.length })")
    assert asked == {
        "type": "run", "id": 1, "n": 5, "labels": [0, 1, 2, 3, 4], "seed": 0, "x": 5 * 784,
        "sampler": "ddpm", "eta": 0, "w": 0.6, "steps": 1,
    }  # fmt: skip
    assert re.match(r"1 step in \d\.\d\d s", page.locator(".ddpm-status").inner_text())
    assert page.get_by_role("slider", name="eta").is_disabled()
    assert grey(page).shape == (88, 88, 3)  # five in a square of three by three
    page.get_by_role("radio", name="none").check()
    generate(page).click()
    finish(page)
    assert page.evaluate("asked[1].labels") == [-1] * 5
