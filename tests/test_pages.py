"""The built book, opened page by page in headless Chromium.

Every page over http at a desk's width (light), and from the disk at a phone's (dark): nothing asks the network,
nothing is missing, the console stays empty, every picture has words, mathematics is drawn, nothing is wider than the
screen, and a chapter is light (`tests/conftest.py` prints what each weighs).
"""

import gzip
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.visit import BROKEN, CHAPTERS, PAGES, UNNAMED, WIDER, WIDTHS, visit
from tests.visit import base as base
from tests.visit import http as http
from tools.serve import HTML
from tools.slides.write import FOLDER

pytestmark = pytest.mark.pages

# The networks and the digits of the widgets.
AT_A_PRESS = re.compile(r"_static/(generate-weights|network-.*|train-digits)\.js$")

# Bytes of a page and its pictures, as they are sent (compressed) and as they lie on a disk; less the theme and the font
# of formulas, which all pages share.
HEAVIEST, ON_DISK = 350_000, 500_000


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    assert (HTML / "index.html").is_file(), "There is no built book in _build/html; run `make html` first."


def weight(path: str, loaded: list[str]) -> tuple[int, int, int]:
    """Bytes of a page, of the page compressed, and of the files of its own that it loaded."""
    files = {file for file in loaded if not file.startswith("_static/") and file != "searchindex.js"}
    pictures = sum((HTML / file).stat().st_size for file in files if not file.endswith(".html"))
    text = (HTML / path).read_bytes()
    return len(text), len(gzip.compress(text)), pictures


@pytest.mark.parametrize("base", ["http", "file"], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_whole_alone_and_is_light(
    browser: Browser, base: str, path: str, record_property: Callable[[str, object], None]
) -> None:
    width = "desk" if base.startswith("http") else "phone"
    visited = visit(browser, base, path, width)
    page, complaints = visited.page, []
    titles = page.locator("h1:visible").count()
    if titles != 1:
        complaints.append(f"it shows {titles} first-level headings, not one")
    complaints += [f"a picture has no alternative text: {source}" for source in page.evaluate(UNNAMED)]
    complaints += [f"a picture does not show: {source}" for source in page.evaluate(BROKEN)]
    complaints += [f"wider than the screen: {element}" for element in page.evaluate(WIDER)]
    formulas, drawn = (
        page.locator("span.math, div.math").count(),
        page.locator(".math math > *:first-child").count(),
    )
    if drawn < formulas:
        complaints.append(f"{formulas} formulas, {drawn} of them drawn")
    complaints += [f"a formula is an error: {words}" for words in page.locator("merror").all_inner_texts()]
    theme = page.evaluate("() => document.documentElement.dataset.theme")
    if theme != WIDTHS[width][1]:
        complaints.append(f"the reader's system is {WIDTHS[width][1]}, the page is {theme}")
    complaints += visited.end()
    complaints += [
        f"it loaded {file}, which waits for a press" for file in visited.loaded if AT_A_PRESS.match(file)
    ]
    if path in CHAPTERS and width == "desk":
        html, compressed, pictures = weight(path, visited.loaded)
        record_property("weight", (path, html, compressed, pictures))
        if compressed + pictures > HEAVIEST:
            complaints.append(f"heavier than {HEAVIEST // 1000} kB")
        if html + pictures > ON_DISK:
            complaints.append(f"larger than {ON_DISK // 1000} kB")
    assert not complaints, f"{path}: " + "; ".join(complaints)


def test_no_page_escapes_the_tests() -> None:
    built = {
        path.relative_to(HTML).as_posix()
        for path in HTML.rglob("*.html")
        if "_static" not in path.parts and path.parent != HTML / FOLDER  # test_page_slides.py has the slides
    }
    assert built == set(PAGES)
