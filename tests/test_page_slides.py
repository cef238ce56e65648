"""The slides of the built book: one chapter's looked at whole, all of them complete, and their links alive."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import axe
from tests.test_page_links import Links
from tools.serve import HTML, ROOT
from tools.slides.look import SIZE, faults
from tools.slides.write import FOLDER, chapters

pytestmark = pytest.mark.pages
SLIDES = HTML / FOLDER


def test_every_chapter_has_slides() -> None:
    expected = {Path(name).name for name in chapters(ROOT / "_toc.yml")}
    assert {"intro", "forward", "guidance", "engineering"} <= expected
    assert {path.stem for path in SLIDES.glob("*.html")} == expected | {"index"}


def test_their_links_lead_somewhere_and_nothing_comes_from_elsewhere() -> None:
    for path in SLIDES.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert 'src="http' not in text, path
        for target in Links(text).targets:
            file, _, _ = target.partition("#")
            if file and not file.startswith(("http:", "https:", "mailto:")):
                assert (SLIDES / file).is_file(), (path.name, target)


def test_a_chapter_fits_its_frames_and_moves(browser: Browser) -> None:
    count, found = faults(browser, SLIDES / "forward.html")
    assert found == []
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
    page.goto(f"{(SLIDES / 'forward.html').as_uri()}#2")
    page.wait_for_selector("html[data-ready]")
    said = page.locator(".bar output")
    assert said.inner_text() == f"2 / {count}"
    slider = page.locator(".slide").nth(1).locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowRight")  # the slider's own key
    assert (slider.input_value(), said.inner_text()) == ("1", f"2 / {count}")
    page.keyboard.press("PageDown")  # a presenter's remote
    assert said.inner_text() == f"3 / {count}"
    assert page.locator(".notes:visible").count() == 0
    page.keyboard.press("n")
    assert (
        "The chain starts at an image" in page.locator(".slide").nth(2).locator(".notes:visible").inner_text()
    )
    axe.thin(page)
    assert axe.violations(page) == []
    page.close()
