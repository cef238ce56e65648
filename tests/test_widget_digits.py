"""The widget that trains on digits, driven in headless Chromium as a reader drives it: from the disk, by keys."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page, expect

from ddpm_lib import load
from ddpm_lib.widgets import DigitsWidget
from ddpm_lib.widgets.digits.recipe import NETWORK, TRAINING
from tests.browser import pixels
from tests.digits_page import be, paused, press, root, status, trained_for, untrained
from tests.digits_page import opened as opened
from tests.helpers import close


def number(page: Page, name: str) -> float:
    return float(root(page).get_attribute(f"data-{name}") or "nan")


def test_it_trains_from_the_disk_pauses_goes_on_and_python_draws_what_it_saved(
    opened: Any, tmp_path: Path
) -> None:
    page: Page = opened(DigitsWidget(steps=30, training_seed=1))
    expect(status(page)).to_contain_text("Train loads 1.3 MB of digits and takes 30 steps, about")
    assert page.locator("script[src]").count() == 0  # nothing is loaded before the press
    before = pixels(page.locator(".ddpm-gallery").nth(0))
    press(page, "Train")
    trained_for(page, 3)
    paused(page)
    assert re.match(r"Paused after \d+ steps, about \d+ s from the end", status(page).inner_text())
    steps = number(page, "steps")
    press(page, "Go on")
    be(page, "done")
    assert number(page, "steps") == 30 > steps
    expect(root(page)).to_have_attribute("data-drawn", "30")
    assert number(page, "loss") < 0.8
    made = page.locator(".ddpm-gallery").nth(0)
    assert (pixels(made) != before).any()
    page.get_by_role("radio", name="7", exact=True).check(force=True)
    expect(made).to_have_attribute("aria-label", re.compile("ten times 7, drawn after 30 steps"))
    with page.expect_download() as download:
        press(page, "Save the network")
    path = tmp_path / "digits.safetensors"
    download.value.save_as(path)
    trained = load(path)
    assert (trained.step, trained.model_config) == (30, NETWORK)
    assert trained.training["lr"] == TRAINING["lr"]
    assert page.locator(".ddpm-python code").inner_text().endswith("digit=7, seed=0).draw()")
    x = DigitsWidget(path, digit=7).draw()
    assert x.std() > 0.05
    shown = torch.from_numpy(pixels(made)[..., 0].astype("float32"))
    tiles = [shown[30 * (i // 5) :, 30 * (i % 5) :][:28, :28] for i in range(10)]
    close(torch.stack(tiles), ((x[:, 0] + 1) * 127.5).clamp(0, 255), 1.0)


def test_a_saved_network_is_opened_again_and_trained_further(opened: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(base64.b64decode(DigitsWidget(untrained()).learned))
    page: Page = opened(DigitsWidget(steps=2))
    page.locator("input[type=file]").set_input_files(path)
    expect(root(page)).to_have_attribute("data-drawn", "7")
    expect(status(page)).to_have_text("A network that was trained for 7 steps.")
    press(page, "Train on")
    be(page, "done")
    assert number(page, "steps") == 9
    path.write_bytes(b"no such file")
    page.locator("input[type=file]").set_input_files(path)
    be(page, "error")
    expect(status(page)).to_contain_text("choose a file that this page saved")
    press(page, "Reset")
    be(page, "idle")
    assert number(page, "steps") == 0
    press(page, "Train")
    be(page, "done")
    assert number(page, "steps") == 2


def test_the_drawings_of_the_training_can_be_gone_through(opened: Any) -> None:
    page: Page = opened(DigitsWidget(steps=8))
    film = page.get_by_role("slider", name="through what was drawn during the training")
    expect(film).to_be_disabled()
    press(page, "Train")
    be(page, "done")
    expect(root(page)).to_have_attribute("data-drawn", "8")
    film.press("Home")
    expect(root(page)).to_have_attribute("data-drawn", "1")
    expect(film).to_have_attribute("aria-valuetext", "after 1 step")
    press(page, "New seed")
    expect(root(page)).to_have_attribute("data-film", "1")
    expect(root(page)).to_have_attribute("data-drawn", "8")


def test_a_page_out_of_sight_rests_and_goes_on_when_it_is_seen_again(opened: Any) -> None:
    page: Page = opened(DigitsWidget())

    def hide(hidden: bool) -> None:
        page.evaluate(
            "hidden => (Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }),"
            " document.dispatchEvent(new Event('visibilitychange')))",
            hidden,
        )

    hide(True)
    hide(False)
    be(page, "idle")  # who was not training does not begin
    press(page, "Train")
    trained_for(page, 2)
    hide(True)
    be(page, "paused")
    expect(status(page)).to_contain_text("out of sight")
    expect(root(page)).to_have_attribute("data-saved", "true")
    rested = number(page, "steps")
    hide(False)
    be(page, "training")
    trained_for(page, int(rested) + 1)
    paused(page)
    hide(True)
    hide(False)
    be(page, "paused")  # who paused it is not overruled
