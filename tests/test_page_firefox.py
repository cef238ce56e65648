"""The built book in a real Firefox: every page opens without a complaint, and every widget does what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.firefox import BUTTON, Firefox, find_firefox, firefox
from tests.visit import BROKEN, PAGES, WIDER, WIDGET_PAGES, source_of
from tests.visit import base as base
from tests.visit import http as http

pytestmark = pytest.mark.pages

# What is drawn: in Firefox and in Chromium a canvas is read as its pixels, for each packs a PNG in its own way.
PIXELS = """(root) => [...root.querySelectorAll("canvas")].flatMap((c) =>
  c.width && c.height ? [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data] : [])"""
PICTURE = """(root) => [...root.querySelectorAll("canvas")].map((c) => c.toDataURL())
  .concat([...root.querySelectorAll("svg")].map((s) => s.outerHTML)).join()"""
# What was loaded from elsewhere than the book.
OUTSIDE = """return performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((name) => !name.startsWith(arguments[0]) && !/^(data|blob|about):/.test(name))"""
# The first slider of each widget; a generator's and a trainer's wait for a press.
SLIDERS = """return [...document.querySelectorAll(".ddpm-host")]
  .filter((host) => !host.querySelector(".ddpm-generate, .ddpm-learn, .ddpm-digits"))
  .map((host) => [...host.querySelectorAll("input[type=range]")].find((s) => s.offsetParent && !s.disabled))"""
# MathML that shows as an error: a subscript without its base, say.
MALFORMED = """const wanted = {msub: 2, msup: 2, mfrac: 2, mroot: 2, munder: 2, mover: 2, msubsup: 3, munderover: 3};
return [...document.querySelectorAll(Object.keys(wanted).join())]
  .filter((e) => e.children.length !== wanted[e.localName]).map((e) => e.outerHTML.slice(0, 120))"""
WRONG = """const image = new Image(), wide = document.createElement("div"), math = document.createElement("div");
image.src = "nowhere.png"; wide.style = "position: absolute; left: 0; width: 9999px; height: 9px";
math.innerHTML = "<math><msub><mi>a</mi></msub></math>"; document.body.append(image, wide, math);
console.error("said"); setTimeout(() => { throw new Error("thrown"); });"""


@pytest.fixture(scope="module")
def window() -> Iterator[Firefox]:
    """One Firefox for all of these tests."""
    path = find_firefox()
    if path is None:
        pytest.skip("No Firefox was found: install one to have the pages tried in it as well.")
    with firefox(path) as started:
        yield started


def complaints(window: Firefox, base: str) -> list[str]:
    """What is wrong with the page that is open."""
    return [
        *window.complaints(),
        *(f"a formula is malformed: {element}" for element in window.run(MALFORMED)),
        *(f"a picture does not show: {source}" for source in window.run(f"return ({BROKEN})()")),
        *(f"wider than the screen: {element}" for element in window.run(f"return ({WIDER})()")),
        *(f"it asked the network for {name}" for name in window.run(OUTSIDE, base)),
    ]


def test_every_page_opens_whole_and_alone(window: Firefox, base: str) -> None:
    found = []
    paths = [path for path in PAGES if path != "index.html"]  # which leads on to the first page
    for path in paths if base.startswith("http") else WIDGET_PAGES:
        window.open(base + path)
        found += [f"{path}: {complaint}" for complaint in complaints(window, base)]
    assert not found, "; ".join(found)


def test_what_is_wrong_is_found(window: Firefox, http: str) -> None:
    window.open(f"{http}book/forward.html")
    window.run(
        f"const own = document.createElement('script'); own.textContent = `{WRONG}`; document.body.append(own)"
    )
    window.wait("[...document.images].some((image) => image.complete && !image.naturalWidth)")
    found = "; ".join(complaints(window, http))
    assert all(word in found for word in ("nowhere.png", "wider than", "said", "thrown", "<msub>")), found
    assert window.run(OUTSIDE, f"{http}another/folder/")
    assert not window.complaints()  # once is enough


@pytest.mark.parametrize("path", WIDGET_PAGES)
def test_every_slider_moves_its_picture(window: Firefox, http: str, path: str) -> None:
    window.open(http + path)
    for slider in window.run(SLIDERS):
        pictures = set()
        for key in ("Home", *["ArrowRight"] * 4, "End"):
            window.press(slider, key)
            pictures.add(window.run(f"return ({PICTURE})(arguments[0].closest('.ddpm-host'))", slider))
        assert len(pictures) >= 3
    assert not window.complaints()


def test_a_press_trains_a_network(window: Firefox, base: str) -> None:
    window.open(base + "book/play.html")
    window.press(window.run(BUTTON, ".ddpm-learn", "Train"), "Enter")
    window.wait("/after [\\d,]{3,} steps/.test(document.querySelector('.ddpm-learn .ddpm-word').textContent)")
    window.press(window.run(BUTTON, ".ddpm-learn", "Pause"), "Enter")
    assert not window.complaints()


def test_a_press_trains_on_digits(window: Firefox, base: str) -> None:
    window.open(base + "book/play.html")
    widget = "document.querySelector('.ddpm-digits').dataset"
    window.press(window.run(BUTTON, ".ddpm-digits", "Train"), "Enter")
    window.wait(f"Number({widget}.steps) >= 3")
    window.press(window.run(BUTTON, ".ddpm-digits", "Pause"), "Enter")
    window.wait(f"{widget}.saved === 'true'")
    assert not window.complaints()


def test_it_draws_the_digit_that_chromium_draws(window: Firefox, browser: Browser, base: str) -> None:
    path = next(path for path in WIDGET_PAGES if "GenerateWidget(" in source_of(path))
    done = "/done|error/.test(document.querySelector('.ddpm-generate').dataset.state)"
    pixels = f"({PIXELS})(document.querySelector('.ddpm-generate'))"
    window.open(base + path)
    window.press(window.run(BUTTON, ".ddpm-generate", "Generate"), "Enter")
    window.wait(done)
    assert window.run("return document.querySelector('.ddpm-generate').dataset.state") == "done"
    ours = window.run(f"return {pixels}")
    assert not window.complaints()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(base + path)
    page.locator(".ddpm-generate").first.get_by_role("button", name="Generate").press("Enter")
    page.wait_for_function(done, timeout=300_000)
    theirs = page.evaluate(pixels)
    page.close()
    assert len(ours) == len(theirs) > 784
    assert max(ours) > 200
    # another compiler of WebAssembly may round the last digit of a sum otherwise
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 3
