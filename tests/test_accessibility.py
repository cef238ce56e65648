"""The built pages for readers who do not see them, or do not use a mouse: axe-core, focus, and what scrolls."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Page, TimeoutError

from tests.axe import thin, violations, wear
from tests.test_page_look import CHAPTERS
from tools.serve import HTML

pytestmark = pytest.mark.pages


def opened(browser: Browser, path: str) -> Page:
    """A page of the book."""
    page = browser.new_page(
        viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    page.goto(f"{HTML.as_uri()}/{path}", wait_until="load")
    return page


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    page = opened(browser, f"{request.param}.html")
    yield page
    page.close()


# What is wider than its box and can be scrolled, yet has no stop for the keyboard, no name or no fade.
SILENT = """() => [...document.querySelectorAll("article *")]
  .filter((e) => e.scrollWidth > e.clientWidth && e.clientWidth && !e.closest("svg, math, .ddpm-host"))
  .filter((e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX))
  .filter((e) => e.tabIndex !== 0 || !e.getAttribute("aria-label") || getComputedStyle(e).maskImage === "none")
  .map((e) => e.outerHTML.slice(0, 80))"""


def silent(page: Page) -> list[str]:
    """What scrolls without saying so, once the page has taken its width."""
    with suppress(TimeoutError):
        page.wait_for_function(f"() => ({SILENT})().length === 0")
    found: list[str] = page.evaluate(SILENT)
    return found


def test_formulas_are_read_and_pages_have_one_column_when_enlarged(chapter: Page) -> None:
    """1280 pixels at 200 % are 640, and at 400 % 320 (WCAG 1.4.10)."""
    assert chapter.locator(".math:not(:has(math[alttext]))").count() == 0
    for width in (640, 320):
        chapter.set_viewport_size({"width": width, "height": 450})
        assert chapter.evaluate("() => document.documentElement.scrollWidth") == width
    chapter.set_viewport_size({"width": 1280, "height": 900})


def test_axe_finds_nothing_at_any_width_in_any_scheme(chapter: Page) -> None:
    """Colors do not depend on the width, save that the header's buttons are others; so they are not looked at twice."""
    thin(chapter)
    found = {"desk": silent(chapter), "desk, light": violations(chapter)}
    wear(chapter, "dark")
    found["desk, dark"] = violations(chapter, others=False)
    chapter.set_viewport_size({"width": 390, "height": 900})
    found["phone"] = silent(chapter) + violations(chapter, colors=False)
    for scheme in ("dark", "light"):
        wear(chapter, scheme)
        found[f"phone, {scheme}"] = violations(chapter, ".bd-header-article", others=False)
    chapter.set_viewport_size({"width": 1280, "height": 900})
    assert {key: lines for key, lines in found.items() if lines} == {}


def test_what_axe_looks_at_is_as_wide_as_what_a_reader_sees(browser: Browser) -> None:
    """Else a line would overflow its box in the test alone, in a fold where nothing tells the page of it."""
    page = opened(browser, "book/own_images.html")
    page.evaluate("() => document.querySelectorAll('details').forEach((e) => (e.open = true))")
    widths = "() => [...document.querySelectorAll('article pre')].map((e) => e.scrollWidth)"
    before = page.evaluate(widths)
    thin(page)
    after = page.evaluate(widths)
    page.close()
    assert len(before) > 30
    assert after == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_was_searched_for(browser: Browser, scheme: str) -> None:
    page = opened(browser, "search.html?q=posterior")
    page.wait_for_selector("#search-results ul.search li")
    wear(page, scheme)
    found = violations(page)
    page.goto(
        f"{HTML.as_uri()}/book/symbols.html"
    )  # where a result leads; the page before it handed on the word
    page.wait_for_selector("article span.highlighted", state="attached")
    thin(page)
    wear(page, scheme)
    found += violations(page)
    page.close()
    assert found == []


# A button in the header of a narrow page, and what it opens.
OPENS = {
    ".primary-toggle": "#pst-primary-sidebar-modal",
    ".secondary-toggle": "#pst-secondary-sidebar-modal",
    ".bd-header-article .search-button": "#pst-search-dialog",
    ".dropdown-download-buttons > button": ".dropdown-download-buttons",
}


@pytest.mark.parametrize("button", OPENS)
def test_axe_finds_nothing_in_what_a_button_opens(browser: Browser, button: str) -> None:
    page = opened(browser, "book/notation.html")
    page.set_viewport_size({"width": 390, "height": 900})
    page.locator(button).first.press("Enter")
    page.wait_for_selector(f"{OPENS[button]} >> visible=true")
    found = []
    for scheme in ("light", "dark"):
        wear(page, scheme)
        found += violations(page, OPENS[button])
    page.close()
    assert found == []


FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  const seen = style.outlineStyle !== "none" && style.outlineColor !== "rgba(0, 0, 0, 0)";
  return seen && parseFloat(style.outlineWidth) >= 2;
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_the_focus_shows_wherever_the_keyboard_takes_it(browser: Browser, width: int) -> None:
    page = opened(browser, "book/forward.html")
    page.set_viewport_size({"width": width, "height": 900})
    hidden, seen = [], set()
    for _ in range(80):
        page.keyboard.press("Tab")
        element: str = page.evaluate("() => document.activeElement.outerHTML.slice(0, 120)")
        if not page.evaluate(FOCUS):
            hidden.append(element)
        seen.add(element)
    page.close()
    assert len(seen) > 40
    assert hidden == []


# A published page has two buttons more, Colab's and the repository's, than one that is built without an address.
EIGHT = """() => {
  const buttons = () => [...document.querySelectorAll(".bd-header-article .btn")].filter((e) => e.offsetParent);
  while (buttons().length < 8) buttons()[1].after(buttons()[1].cloneNode(true));
  return document.documentElement.scrollWidth;
}"""


def test_the_header_of_a_published_page_fits_the_narrowest_screen(browser: Browser) -> None:
    page = opened(browser, "book/errata.html")
    page.set_viewport_size({"width": 320, "height": 450})
    assert page.evaluate(EIGHT) == 320
    page.close()
