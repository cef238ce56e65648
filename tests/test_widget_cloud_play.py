"""The cloud at play: to the end, through every frame, in its colors; and what is said once it is still."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from ddpm_lib.widgets import CloudWidget
from tests.cloud_parts import CLOUDS, data, recording, same, slider, walk


@pytest.mark.parametrize(("direction", "end"), [("forward", "500"), ("reverse", "0")])
def test_play_runs_to_the_end(show: Any, page: Page, direction: str, end: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # ten steps instead of hundreds
    page.clock.install()
    w = CloudWidget(CLOUDS, reverse=recording(20), direction=direction)
    show(w)
    assert data(page, "t") == str(w.t)
    page.get_by_role("button", name="Play").press("Enter")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.clock.run_for(7000)
    assert data(page, "t") == end
    assert page.get_by_role("button", name="Play").is_visible()
    w.t = int(end)
    same(page, w)


def test_with_motion_play_passes_through_every_frame(show: Any, page: Page) -> None:
    page.clock.install()
    ts = [500, 300, 100, 20, 0]
    show(CloudWidget(CLOUDS, reverse=walk(ts), direction="reverse"))
    page.evaluate(
        """() => {
            const node = document.querySelector(".ddpm-cloud");
            window.seen = [];
            new MutationObserver(() => window.seen.push(Number(node.dataset.t)))
                .observe(node, { attributeFilter: ["data-t"] });
        }"""
    )
    page.get_by_role("button", name="Play").press("Enter")
    page.clock.run_for(7000)
    assert list(dict.fromkeys(page.evaluate("seen"))) == ts[1:]


def test_light_and_dark_are_drawn_in_their_own_colors(show: Any, page: Page) -> None:
    show(CloudWidget(CLOUDS))
    brightness = []
    for color in ("#111", "#eee"):
        page.evaluate(
            "c => { document.body.style.color = c; document.documentElement.dataset.theme = c; }", color
        )
        page.wait_for_timeout(100)
        url = page.locator("canvas").evaluate("c => c.toDataURL()")
        picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
        pixels = np.asarray(picture.convert("RGBA"), float).reshape(-1, 4)
        brightness.append(pixels[pixels[:, 3] > 150, :3].mean())
    assert brightness[1] > brightness[0] + 20


def test_what_happened_is_said_once_things_are_still(show: Any, page: Page) -> None:
    page.clock.install()
    show(CloudWidget(CLOUDS, t=10))
    page.clock.run_for(900)
    assert page.locator("[aria-live=polite]").inner_text() == ""
    slider(page).press("ArrowRight")
    page.clock.run_for(900)
    assert page.locator("[aria-live=polite]").inner_text().startswith("t = 11: mean ")
