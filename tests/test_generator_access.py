"""The generator without a mouse, with less motion, read aloud; and the Python of its picture."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.generator_page import fake, finish, generate


def test_it_works_from_the_keyboard_alone(opened: Any, page: Page) -> None:
    opened(fake())
    generate(page).focus()
    page.keyboard.press("Space")
    finish(page)
    names = []
    page.get_by_role("radio", name="3").focus()
    for _ in range(7):  # everything on the first screen, in the order of reading
        names.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))
        page.keyboard.press("Tab")
    computed = "step, through what was computed"
    assert names == ["3", "Generate", "New seed", "Play", "Restart", computed, "pure noise"]


def test_less_motion_is_ten_pictures(opened: Any, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(fake(steps=50))
    page.evaluate(
        """() => {
            const root = document.querySelector(".ddpm-generate");
            window.seen = new Set();
            new MutationObserver(() => seen.add(root.dataset.step)).observe(root, { attributes: true });
        }"""
    )
    generate(page).click()
    finish(page)
    assert page.evaluate("[...seen].map(Number)") == list(range(0, 51, 5))


def test_the_end_is_said_once(opened: Any) -> None:
    page = opened(fake())
    live = page.locator("[aria-live=polite]")
    assert live.inner_text() == ""
    generate(page).click()
    finish(page)
    expect(live).to_have_text(re.compile(r"^done: 20 steps in \d\.\d seconds$"))


PYTHON = """from ddpm_lib.widgets import GenerateWidget
GenerateWidget(digit=3, sampler="ddim", steps=20, eta=0, w=0.5, seed=7, n=1).draw()"""


@pytest.mark.parametrize("clipboard", ["written", "refused", "missing"])
def test_the_python_of_the_picture_is_copied_from_the_keyboard(
    opened: Any, page: Page, clipboard: str
) -> None:
    answer = (
        "Promise.reject(Error())" if clipboard == "refused" else "((window.copied = text), Promise.resolve())"
    )
    fake_clipboard = "undefined" if clipboard == "missing" else f"{{ writeText: (text) => {answer} }}"
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {fake_clipboard} }});")
    page.add_init_script("addEventListener('copy', () => (window.copied = String(getSelection())));")
    opened(fake(more=True))
    page.get_by_role("spinbutton", name="seed").fill("7")
    page.get_by_role("spinbutton", name="seed").press("Tab")
    assert page.locator(".ddpm-python code").inner_text() == PYTHON
    expect(
        page.get_by_role("button", name="Copy the Python")
    ).to_be_focused()  # the next thing after the seed
    page.keyboard.press("Enter")
    expect(page.locator(".ddpm-python button")).to_have_text("Copied")
    assert page.evaluate("copied").strip() == PYTHON
    expect(page.locator("[aria-live=polite]")).to_have_text("copied")
    page.get_by_role("radio", name="a drawing", exact=True).check()
    assert not page.locator(".ddpm-python").is_visible()  # a drawing stays in the page
