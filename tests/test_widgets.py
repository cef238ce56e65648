"""The widgets, in Python and in Chromium: one picture in both, from a server, from a file, in a sandbox."""

from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib.schedule import linear_schedule
from ddpm_lib.widgets import ScrubWidget
from ddpm_lib.widgets.host.noise import NOISE_JS, noise
from ddpm_lib.widgets.host.widget import read
from tests.browser import ChromiumMissing, find_chromium
from tests.shown import X0, assert_drawn, grey


def test_a_missing_chromium_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ChromiumMissing, match="run `make chromium`"):
        find_chromium()


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**31 - 1])
def test_noise_is_the_same_in_python_and_in_the_page(page: Page, seed: int) -> None:
    module = read(*NOISE_JS)
    drawn = page.evaluate(f"() => {{ {module}\nreturn Array.from(noise({seed}, 785)); }}")
    assert np.abs(np.array(drawn) - noise(seed, (785,)).numpy()).max() < 2e-6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("t", [0, 1, 50, 200, 499, 500])
def test_the_page_draws_what_python_computes(show: Any, channels: int, t: int) -> None:
    tint = torch.linspace(0.5, 1, channels)[:, None, None]
    w = ScrubWidget(X0.repeat(1, channels, 1, 1) * tint, t=t, seed=3, digit=1)
    page = show(w)
    assert_drawn(grey(page), w.xt)
    assert_drawn(grey(page, "the clean image x 0"), w.x0)
    assert_drawn(grey(page, "the noise epsilon"), w.eps)


def test_the_keyboard_moves_the_slider_and_the_picture(show: Any) -> None:
    w = ScrubWidget(X0, t=100)
    page = show(w)
    widget, slider = page.locator(".ddpm-scrub"), page.get_by_role("slider", name="time step t")
    assert (
        page.get_by_role("img", name="the noisy image x t at t = 100: image 1, seed 0", exact=True).count()
        == 1
    )
    slider.focus()
    before = grey(page)
    keys = {"ArrowRight": 101, "ArrowLeft": 100, "PageUp": 150, "PageDown": 100, "End": 500, "Home": 0}
    for key, t in keys.items():
        page.keyboard.press(key)
        assert widget.get_attribute("data-t") == str(t), key
        assert slider.get_attribute("aria-valuetext") == f"t = {t} of 500"
        w.t = t
        assert_drawn(grey(page), w.xt)
    assert not np.array_equal(before, grey(page))


def test_schedule_image_and_noise_can_be_chosen(show: Any) -> None:
    w = ScrubWidget(X0, labels=[7, 2, 1], t=120)
    page = show(w)
    widget = page.locator(".ddpm-scrub")
    page.get_by_role("radiogroup", name="Schedule").get_by_role("radio", name="linear").focus()
    page.keyboard.press("ArrowRight")
    w.schedule = "cosine"
    assert widget.get_attribute("data-schedule") == "cosine"
    assert_drawn(grey(page), w.xt)
    page.get_by_role("radiogroup", name="Image").get_by_role("radio", name="7").focus()
    page.keyboard.press("ArrowRight")
    w.digit = 1
    assert page.get_by_role("radio", name="2").is_checked()
    assert_drawn(grey(page), w.xt)
    page.get_by_role("button", name="New noise").press("Enter")
    w.seed = 1
    assert widget.get_attribute("data-seed") == "1"
    assert_drawn(grey(page), w.xt)


def test_a_shorter_schedule_shortens_the_slider(show: Any) -> None:
    page = show(ScrubWidget(X0, {"long": linear_schedule(500), "short": linear_schedule(50)}, t=300))
    page.get_by_role("radio", name="short").check()
    assert page.locator(".ddpm-scrub").get_attribute("data-t") == "50"
    assert page.get_by_role("slider").get_attribute("max") == "50"


def test_the_weights_are_shown_as_numbers_and_as_bars(show: Any) -> None:
    page = show(ScrubWidget(X0, t=100))
    ab = linear_schedule(500).alpha_bar[100].item()
    text = page.locator(".ddpm-panels").inner_text()
    for number in (f"{ab**0.5:.3f}", f"{(1 - ab) ** 0.5:.3f}", f"{10 * np.log10(ab / (1 - ab)):.1f} dB"):
        assert number in text
    bars = page.locator(".ddpm-fill").evaluate_all("bars => bars.map(b => parseFloat(b.style.width))")
    assert bars == pytest.approx([100 * ab**0.5, 100 * (1 - ab) ** 0.5, 100 * ab, 100 - 100 * ab], abs=1e-3)
    page.get_by_role("slider").press("Home")
    assert "\u221e dB" in page.locator(".ddpm-panels").inner_text()


def test_what_happened_is_said_once_things_are_still(show: Any, page: Page) -> None:
    page.clock.install()
    show(ScrubWidget(X0, t=99))
    live = page.locator("[aria-live=polite]")
    page.clock.run_for(900)
    assert live.inner_text() == ""  # nothing is said before the reader acts
    page.get_by_role("slider").press("ArrowRight")
    page.clock.run_for(900)
    assert live.inner_text() == "t = 100: signal 0.81, noise 0.58, signal to noise 2.9 dB"


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_starts_when_asked_and_stops_when_asked(show: Any, page: Page, motion: Any) -> None:
    page.emulate_media(reduced_motion=motion)
    page.clock.install()
    show(ScrubWidget(X0, t=10))
    widget = page.locator(".ddpm-scrub")
    page.clock.run_for(700)
    assert widget.get_attribute("data-t") == "10"  # never by itself
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('.ddpm-scrub').dataset.t > 30")
    page.get_by_role("button", name="Pause").press("Enter")
    t = int(widget.get_attribute("data-t") or 0)
    page.clock.run_for(700)
    assert widget.get_attribute("data-t") == str(t)
    assert motion == "no-preference" or t % 50 == 10


def test_play_ends_at_the_last_step(show: Any, page: Page) -> None:
    show(ScrubWidget(X0, t=480))
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ddpm-scrub').dataset.t == 500")
    page.get_by_role("button", name="Play").wait_for()
