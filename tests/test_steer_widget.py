"""A wish in a page: what it asks its engine for, what it says of the digits, and how it is set."""

import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import traitlets
from playwright.sync_api import Page, expect

from ddpm_lib import load
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import last
from ddpm_lib.evaluate.steering import SteeredForward, ink_error
from ddpm_lib.sampling import ddim_step, sample
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.web.page_script import write_page_script
from ddpm_lib.widgets import SteerWidget
from ddpm_lib.widgets.generator.network import SHIPPED, as_in_the_page
from ddpm_lib.widgets.generator.offered import URL
from tests.browser import pixels
from tests.fake_worker import FAKE_WORKER
from tests.generator_page import WEIGHTS, finish, generate
from tests.generator_page import opened as opened
from tests.generator_parts import tiny
from tests.test_generator_drawing import LISTEN
from tests.test_web_edit import slant
from tests.widget_page import document
from tests.worker_page import asked

STEPS = 20


def fake(**options: Any) -> SteerWidget:
    return SteerWidget(worker=FAKE_WORKER, **{"url": WEIGHTS, "steps": STEPS, **options})


def rows(page: Page) -> torch.Tensor:
    """The pictures (2, 10, 28, 28) beneath, in [-1, 1]; NaN where none is drawn yet."""
    shown = torch.from_numpy(pixels(page.get_by_role("img", name="two rows of 10 digits")).copy())
    levels = torch.where(shown[..., 3] == 255, shown[..., 0] / 127.5 - 1, math.nan)
    return levels.unfold(0, 28, 30).unfold(1, 28, 30)


@pytest.mark.parametrize("wish", ["slant", "ink"])
def test_both_rows_are_what_torch_draws(page: Page, tmp_path: Path, wish: Any) -> None:
    (tmp_path / "_static").mkdir()
    write_page_script(tmp_path / URL, load(SHIPPED))
    w = SteerWidget(wish=wish, slant=0.6, steps=STEPS, seed=3)
    (tmp_path / "page.html").write_text(document(w), encoding="utf-8")
    page.add_init_script(f"({LISTEN})()")
    page.goto((tmp_path / "page.html").as_uri())
    loss, of = lambda x0: (slant(x0) - 0.6).square(), slant
    if wish == "ink":
        page.get_by_role("button", name="Clear").click()
        pad = page.get_by_role("application", name="pad for the wish")
        pad.press("Space")
        for key in ["ArrowDown"] * 6:
            pad.press(key)
        page.get_by_role("radio", name="no ink here").check()
        for key in ["ArrowRight"] * 9 + ["Space"] + ["ArrowUp"] * 12:
            pad.press(key)
        page.get_by_role("button", name="Clear").focus()  # the pen's mark is gone
        shown = torch.from_numpy(pixels(pad)[..., :3].copy()).int()
        none = (shown[..., 0] - shown[..., 2]) > 60  # orange
        target, cares = 1 - 2 * none.float(), (none | (shown[..., 2] > 127)).float()
        assert 20 < none.sum() < 200
        assert (cares - none.float()).sum() > 10
        loss = partial(ink_error, target=target, cares=cares)
        inked = cares * (target > 0)
        of = lambda x0: (inked * (x0 + 1).clamp(0, 2) / 2).sum((1, 2, 3)) / inked.sum() * 100  # noqa: E731
    generate(page).click()
    finish(page)

    states = asked(page, "return states;")
    assert [state["t"] for state in states] == 2 * [*range(500, -1, -25)]
    checkpoint = as_in_the_page(load(SHIPPED))
    network, diffusion = checkpoint.network(), checkpoint.diffusion
    how = {"seeds": range(3, 13), "y": torch.arange(3, 13) % 10, "step": ddim_step, "steps": STEPS}
    steered = SteeredForward(network, diffusion, loss, 20.0)
    plain, wished = (last(sample(each, diffusion, (1, 28, 28), **how)).xt for each in (network, steered))
    for i, want in ((STEPS, plain), (-1, wished)):
        # A difference of two passes, over a small shift, is less exact than either.
        off = (torch.tensor(states[i]["xt"]).reshape(want.shape) - want).abs()
        assert off.mean() < 1e-4
        assert off.max() < 0.05
    assert loss(wished).mean() < 0.8 * loss(plain).mean()
    drawn = torch.stack([plain[:, 0], wished[:, 0]]).clamp(-1, 1)
    assert (rows(page) - drawn).abs().max() < 1.5 / 127.5 + 0.05
    said = page.locator(".ddpm-status").inner_text().replace("\u2212", "-")
    told = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", said)][:2]
    assert told == pytest.approx(
        [float(of(x).mean()) for x in (plain, wished)], abs=0.6 if wish == "ink" else 0.011
    )


def test_without_a_stroke_there_is_no_wish_for_ink(opened: Any, page: Page) -> None:
    opened(fake())
    page.get_by_role("radio", name="ink where I draw").check()
    expect(page.get_by_role("slider", name="strength of the wish")).to_have_attribute(
        "aria-valuetext", "strength 40"
    )
    assert page.get_by_role("slider", name="wished slant").count() == 0
    page.get_by_role("button", name="Clear").click()
    assert page.locator(".ddpm-status").inner_text() == "There is no wish yet: draw where there shall be ink."
    assert generate(page).is_disabled()
    page.get_by_role("radio", name="a slant").check()
    generate(page).click()
    finish(page)
    assert rows(page).isfinite().all()
    for change in (
        lambda: page.get_by_role("radio", name="7", exact=True).check(),
        lambda: page.get_by_role("slider", name="wished slant").press("ArrowRight"),
        lambda: page.get_by_role("button", name="New seed").click(),
    ):
        generate(page).click()
        finish(page)
        change()
        finish(page, "idle")
        assert rows(page).isnan().all()


def test_it_fits_a_phone(opened: Any, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    opened(fake(wish="ink"))
    generate(page).click()
    finish(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_its_state_is_checked_and_its_page_is_light() -> None:
    w = SteerWidget(wish="ink", slant=0.3, scale=60, seed=4, digit=7)
    assert repr(w) == "SteerWidget(wish='ink', slant=0.3, scale=60.0, seed=4)"
    for name, value in (
        ("steps", 501), ("slant", 1.5), ("scale", -1), ("digit", 10), ("digit", True), ("wish", "luck"),
    ):  # fmt: skip
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(w, name, value)
    with pytest.raises(TypeError, match="SteerWidget has no option 'speed': choose from wish, slant"):
        SteerWidget(speed=3)
    assert len(w.to_html()) < 62_000
    own = SteerWidget(tiny(), GaussianDiffusion(cosine_schedule(40)), shape=(1, 8, 8), worker=FAKE_WORKER)
    assert (own.steps, own.fallback().width) == (40, 504)
