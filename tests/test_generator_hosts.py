"""Where the generator stands: twice on a page, in a frame with weights of its own, live, on a phone."""

import html
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import GenerateWidget
from tests.fake_worker import FAKE_WORKER
from tests.generator_page import WEIGHTS, fake, finish, generate, root, script
from tests.generator_parts import tiny
from tests.widget_page import document, drive


def test_two_on_a_page_share_the_weights_and_nothing_else(opened: Any, page: Page) -> None:
    opened()
    names = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    opened(fake(), fake(seed=5, digit=1))
    page.get_by_role("button", name="Generate").nth(0).click()
    expect(root(page).nth(0)).to_have_attribute("data-state", "done")
    assert root(page).nth(1).get_attribute("data-state") == "idle"
    page.get_by_role("button", name="Generate").nth(1).click()
    expect(root(page).nth(1)).to_have_attribute("data-state", "done")
    assert page.locator("script[src]").count() == 1
    assert set(page.evaluate("Object.getOwnPropertyNames(window)")) == names
    assert page.locator("[id]").count() == 0


def test_the_address_counts_from_the_books_root(page: Page, tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / WEIGHTS).write_text(script(), encoding="utf-8")
    text = document(fake(url=f"_static/{WEIGHTS}"))
    for path, content_root in (("book/page.html", "../"), ("page.html", "./")):
        (tmp_path / path).write_text(text.replace("<html ", f'<html data-content_root="{content_root}" '))
        page.goto((tmp_path / path).as_uri())
        generate(page).click()
        finish(page)


def test_it_works_in_a_sandboxed_frame_with_weights_of_its_own(page: Page) -> None:
    w = GenerateWidget(
        tiny(), GaussianDiffusion(cosine_schedule(50)), shape=(1, 8, 8), worker=FAKE_WORKER, steps=10
    )
    page.set_content(f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(document(w))}"></iframe>')
    frame = page.frames[1]
    frame.get_by_role("button", name="Generate").click()
    expect(frame.locator(".ddpm-generate")).to_have_attribute("data-state", "done")
    assert frame.get_by_role("radiogroup", name="Digit").count() == 0  # it knows no classes


def test_a_live_widget_asks_python_for_the_weights(page: Page) -> None:
    drive(page, fake())
    page.evaluate("""() => (model.send = ({ type }) => setTimeout(() => model.set(type, '{"pace": 1}')))""")
    generate(page).click()
    finish(page)
    page.evaluate("model.set('digit', 8)")
    assert page.get_by_role("radio", name="8").is_checked()
    page.evaluate("model.set('n', 4)")
    assert root(page).get_attribute("data-state") == "idle"
    page.get_by_role("radio", name="a drawing", exact=True).check()
    assert page.evaluate("saved.mode") == "drawing"


def test_every_control_has_a_name(opened: Any) -> None:
    page = opened(fake(mode="hole"))
    page.locator("summary").click()
    tree = page.locator("body").aria_snapshot()
    for expected in (
        'group "Generate images here"',
        'application "drawing pad, 28 by 28: arrow keys move the pen',
        'img "the noisy image x t',
        'img "the guess x 0 hat',
        'slider "step, through what was computed"',
        'progressbar "steps computed"',
        'radiogroup "Digit"',
        'radiogroup "Sampler"',
        'radiogroup "Start from"',
        'radiogroup "Tool"',
        'button "example 9"',
        'slider "number of steps"',
        'slider "eta, the share of fresh noise"',
        'slider "guidance w"',
        'slider "number of images"',
        'spinbutton "seed"',
        'button "New seed"',
        'button "Generate"',
    ):
        assert expected in tree
