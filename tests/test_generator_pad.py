"""The generator's pad: a drawing is noised and denoised, a hole is filled."""

from typing import Any

import numpy as np
import torch
from playwright.sync_api import Page, expect

from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets.host.noise import noise
from tests.generator_page import fake, finish, generate, levels, root, scrub
from tests.generator_parts import pad_levels
from tests.shown import grey


def test_a_drawing_is_noised_to_t_and_denoised(opened: Any) -> None:
    w = fake(mode="drawing", start=200, n=2)
    page = opened(w)
    assert root(page).get_attribute("data-t") == "200"
    pad = page.get_by_role("application")
    assert pad.is_visible()
    page.get_by_role("button", name="Clear").click()
    box = pad.bounding_box()
    assert box is not None
    before = grey(page)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    drawn = pad_levels(page)
    assert drawn[14, 14] == 255
    assert drawn[14, 5] == 0
    # x_t is the closed form of what is on the pad
    ab = float(cosine_schedule(500).alpha_bar[200])
    x0 = torch.from_numpy(drawn / 127.5 - 1)
    xt = [ab**0.5 * x0 + (1 - ab) ** 0.5 * noise(i, (28, 28)) for i in (0, 1)]
    shown = grey(page)[..., 0]
    assert np.abs(shown[:28, :28] - levels(xt[0])).max() <= 1.5
    assert np.abs(shown[:28, 30:58] - levels(xt[1])).max() <= 1.5
    assert not np.array_equal(before, grey(page))
    generate(page).click()
    finish(page)
    assert scrub(page).get_attribute("max") == "8"  # 20 steps are for the whole way, 200 of 500 is 8
    page.get_by_role("slider", name="time t that the drawing is noised to").press("End")
    assert (root(page).get_attribute("data-state"), root(page).get_attribute("data-t")) == ("idle", "500")


def test_a_drawing_can_be_made_from_the_keyboard(opened: Any, page: Page) -> None:
    opened(fake(mode="drawing"))
    pad = page.get_by_role("application")
    page.get_by_role("button", name="Clear").press("Enter")
    page.keyboard.press("Tab")
    pad.focus()
    for key in ("ArrowUp", "ArrowUp", "Space", *["ArrowDown"] * 6, "Space", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("[aria-live=polite]")).to_have_text("pen up, column 16, row 19")
    page.get_by_role("button", name="Clear").focus()  # the pen's mark is gone
    drawn = pad_levels(page)
    assert drawn[12:18, 14].min() > 200
    assert drawn[:, 20:].max() == 0
    page.get_by_role("radio", name="eraser").check()
    pad.focus()
    for key in ("Space", *["ArrowUp"] * 12, "Space"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Clear").focus()
    assert pad_levels(page)[:, 14].max() < 128
    page.get_by_role("button", name="example 7").press("Enter")
    assert pad_levels(page).mean() > 10
    assert page.get_by_role("radio", name="7", exact=True).is_checked()  # and a 7 is asked for


def test_a_hole_is_filled_and_the_rest_is_kept(opened: Any) -> None:
    page = opened(fake())
    page.get_by_role("radio", name="a drawing with a hole").check()
    assert page.get_by_role("slider", name="time t that the drawing").count() == 0  # it starts from T
    known = pad_levels(page)[:14]
    generate(page).click()
    finish(page)
    end = grey(page)[..., 0]
    assert np.abs(end[:14] - known).max() <= 1  # the upper half is the drawing's
    assert np.abs(end[14:] - levels(torch.sin(3 + torch.arange(392, 784).reshape(14, 28) / 30))).max() <= 1
    clear = page.get_by_role("button", name="Clear")
    clear.click()
    assert root(page).get_attribute("data-state") == "idle"
    assert (pad_levels(page) == 0).all()
    assert "There is no hole to fill" in page.locator(".ddpm-status").inner_text()
    # Leave, and clear the drawing only: the next hole is the lower half again.
    page.get_by_role("radio", name="a drawing", exact=True).check()
    page.get_by_role("button", name="example 3").click()
    clear.click()
    assert (pad_levels(page) == 0).all()
    page.get_by_role("radio", name="a drawing with a hole").check()
    assert (pad_levels(page)[14:] > 0).all()
    assert "no hole" not in page.locator(".ddpm-status").inner_text()
    expect(page.locator("[aria-live=polite]")).to_have_text("cleared")
