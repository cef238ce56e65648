"""Two drawings in a page, walked to their noise and joined on the arc by the real engine: what Python makes of them."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from playwright.sync_api import Page, expect
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.editing import invert, slerp
from ddpm_lib.evaluate.generate import last
from ddpm_lib.sampling import ddim_step, sample_from
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.web.page_script import write_page_script
from ddpm_lib.widgets import EditWidget
from ddpm_lib.widgets.generator.network import SHIPPED, as_in_the_page
from ddpm_lib.widgets.generator.offered import URL
from tests.browser import pixels
from tests.fake_worker import FAKE_WORKER
from tests.generator_page import WEIGHTS, finish, generate
from tests.generator_page import opened as opened
from tests.generator_parts import tiny
from tests.test_generator_drawing import LISTEN
from tests.widget_page import document, drive
from tests.worker_page import asked

STEPS = 20


def fake(**options: Any) -> EditWidget:
    return EditWidget(worker=FAKE_WORKER, **{"url": WEIGHTS, "steps": STEPS, **options})


def pad(page: Page, which: str) -> np.ndarray:
    """The levels (h, w) on a pad."""
    board = page.get_by_role("application", name=re.compile(f"{which} drawing, 28 by 28: arrow keys move"))
    return pixels(board)[..., 2].astype(float)


def rows(page: Page) -> Tensor:
    """The pictures (2, 8, 28, 28) beneath, in [-1, 1]: through noise, then through pixels; NaN where none is."""
    shown = torch.from_numpy(pixels(page.get_by_role("img", name="from the first drawing")).copy())
    levels = torch.where(shown[..., 3] == 255, shown[..., 0] / 127.5 - 1, math.nan)
    return levels.unfold(0, 28, 30).unfold(1, 28, 30)


def test_the_row_is_what_inversion_and_the_arc_make_of_the_drawings(page: Page, tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    write_page_script(tmp_path / URL, load(SHIPPED))
    (tmp_path / "page.html").write_text(document(EditWidget(steps=STEPS, second=7)), encoding="utf-8")
    page.add_init_script(f"({LISTEN})()")
    page.goto((tmp_path / "page.html").as_uri())
    page.get_by_role("button", name="Clear the first drawing").click()
    board = page.get_by_role("application", name=re.compile("first drawing"))
    board.press("Space")  # the pen goes down in the middle
    for key in ["ArrowUp"] * 8 + ["ArrowLeft"] * 6:
        board.press(key)
    generate(page).click()
    finish(page)

    states = asked(page, "return states;")
    assert [state["t"] for state in states] == [*range(0, 501, 25), *range(500, -1, -25)]
    x0 = torch.tensor(states[0]["xt"]).reshape(2, 1, 28, 28)
    for drawn, which in zip(x0, ("first", "second"), strict=True):
        assert np.abs(pad(page, which) - (drawn[0].numpy() + 1) * 127.5).max() <= 1
    assert (x0[0] > 0).sum() > 30

    checkpoint = as_in_the_page(load(SHIPPED))
    network, diffusion, nothing = checkpoint.network(), checkpoint.diffusion, torch.full((8,), 10)
    found = last(invert(network, diffusion, x0, y=nothing[:2], steps=STEPS)).xt
    assert (torch.tensor(states[STEPS]["xt"]).reshape(x0.shape) - found).abs().max() < 1e-3
    arc = torch.cat([slerp(found[:1], found[1:], k / 7) for k in range(8)])
    assert (torch.tensor(states[STEPS + 1]["xt"]).reshape(arc.shape) - arc).abs().max() < 1e-3
    want = last(sample_from(network, diffusion, arc, y=nothing, step=ddim_step, steps=STEPS)).xt
    assert (torch.tensor(states[-1]["xt"]).reshape(want.shape) - want).abs().max() < 5e-3

    through_noise, through_pixels = rows(page)
    assert (through_noise - want[:, 0].clamp(-1, 1)).abs().max() < 1.5 / 127.5 + 5e-3
    mixed = torch.cat([torch.lerp(x0[:1], x0[1:], k / 7) for k in range(8)])
    assert (through_pixels - mixed[:, 0]).abs().max() < 1.5 / 127.5
    off = float((want[[0, 7]] - x0).square().mean().sqrt())
    assert f" to {off:.2f} a pixel" in page.locator(".ddpm-status").inner_text()


def test_a_stroke_an_example_and_a_slider_take_the_pictures_away(opened: Any, page: Page) -> None:
    opened(fake())
    before = rows(page)
    assert before[0].isnan().all()
    assert (before[1] > 0).any()
    found = page.get_by_role("img", name="the noise of the first drawing", exact=True)
    for change in (
        lambda: page.get_by_role("button", name="second: example 4").click(),
        lambda: page.get_by_role("slider", name="number of steps").press("ArrowRight"),
        lambda: page.get_by_role("button", name="Clear the second drawing").press("Enter"),
    ):
        generate(page).click()
        finish(page)
        assert rows(page)[0].isfinite().all()
        expect(found).to_have_count(1)
        change()
        finish(page, "idle")
        assert rows(page)[0].isnan().all()
        expect(found).to_have_count(0)
    assert (pad(page, "second") == 0).all()
    expect(page.locator("[aria-live=polite]")).to_have_text("cleared")


def test_it_can_be_stopped_and_says_what_went_wrong(opened: Any, page: Page) -> None:
    opened(fake(steps=100), pace=30)
    generate(page).click()
    page.get_by_role("button", name="Cancel").click()
    finish(page, "idle")
    assert page.locator(".ddpm-status").inner_text() == "Stopped."
    opened(fake(), weights="")
    generate(page).click()
    finish(page, "error")
    assert "is broken: load the page again" in page.locator(".ddpm-status").inner_text()
    opened(fake(), refuse="These weights are damaged.")
    generate(page).click()
    finish(page, "error")
    assert page.locator(".ddpm-status").inner_text() == "These weights are damaged."


def test_a_live_one_asks_python_and_follows_it(page: Page) -> None:
    drive(page, fake())
    page.evaluate("""() => (model.send = ({ type }) => setTimeout(() => model.set(type, '{"pace": 1}')))""")
    generate(page).click()
    finish(page)
    page.evaluate("model.set('steps', 50)")
    finish(page, "idle")
    slider = page.get_by_role("slider", name="number of steps of each walk")
    assert slider.get_attribute("aria-valuetext") == "50 steps"


def test_it_fits_a_phone(opened: Any, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    opened(fake())
    generate(page).click()
    finish(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_its_state_is_checked_and_its_page_is_light() -> None:
    w = EditWidget(first=7, second=1, steps=25)
    assert repr(w) == "EditWidget(first=7, second=1, steps=25)"
    for name, value in (("steps", 501), ("first", 10), ("second", -1)):
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(w, name, value)
    with pytest.raises(TypeError, match="EditWidget has no option 'speed': choose from first, second"):
        EditWidget(speed=3)
    state = w.state()
    assert (state["worker"], state["weights"], state["url"]) == ("", "", URL)
    assert len(w.to_html()) < 62_000
    own = EditWidget(tiny(), GaussianDiffusion(cosine_schedule(40)), shape=(1, 8, 8), worker=FAKE_WORKER)
    assert own.steps == 40
    assert '"base":8' in own.state()["weights"]
    assert own.fallback().alt == "One picture turning into another in six pictures, through noise."
