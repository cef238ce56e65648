"""The built book, opened page by page in headless Chromium, over http and from the disk.

Every page at a desk's width (light) and a telephone's (dark): nothing asks the network, nothing is missing, the
console stays empty, every picture has words, mathematics is drawn, nothing is wider than the screen, and a chapter is
light (`tests/conftest.py` prints what each weighs).
"""

import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from threading import Thread
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tools.serve import HTML, ROOT, server
from tools.slides.write import FOLDER

pytestmark = pytest.mark.pages

CHAPTERS = [f"{name}.html" for name in re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())]
PAGES = [*CHAPTERS, "index.html", "search.html"]


def source_of(path: str) -> str:
    """The notebook that a page was made from; nothing for a page of another kind."""
    file = ROOT / path.replace(".html", ".ipynb")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


WIDGET_PAGES = [path for path in CHAPTERS if "Widget(" in source_of(path)]
DERIVING = [f"book/{name}.html" for name in ("forward", "posterior", "loss", "sampling")]
WIDTHS = {"desk": (1280, "light"), "telephone": (390, "dark")}
# Bytes of a page and its pictures, as they are sent (compressed) and as they lie on a disk; less the theme and the font
# of formulas, which all pages share.
HEAVIEST, ON_DISK = 350_000, 500_000

# Console messages that are the theme's own and harmless, each by its exact text. There are none left.
KNOWN_NOISE: frozenset[str] = frozenset()


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    assert (HTML / "index.html").is_file(), "There is no built book in _build/html; run `make html` first."


@pytest.fixture(scope="module")
def http() -> Iterator[str]:
    """The address of a server of the built book, on any free port."""
    with server(HTML) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()


@pytest.fixture(params=["http", "file"])
def base(request: pytest.FixtureRequest, http: str) -> str:
    """The book's address: over http, and straight from the disk."""
    return http if request.param == "http" else f"{HTML.as_uri()}/"


@dataclass
class Visit:
    """A page, and what happened while it was opened."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)  # the book's own files, by path

    def watch(self) -> None:
        context = self.page.context
        context.route(
            lambda url: not self.local(url), lambda route: (self.outside(route.request.url), route.abort())
        )
        self.page.on("websocket", lambda socket: self.outside(socket.url))
        self.page.on("console", self.console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"a script failed: {error}"))
        self.page.on("requestfinished", lambda request: self.finished(request.url))
        self.page.on("requestfailed", lambda request: self.failed(request.url))
        self.page.on("response", lambda answer: answer.status >= 400 and self.failed(answer.url))

    def local(self, url: str) -> bool:
        return url.startswith((self.base, "data:", "blob:", "about:"))

    def outside(self, url: str) -> None:
        self.complaints.append(f"it asked the network for {url}")

    def failed(self, url: str) -> None:
        if self.local(url):
            self.complaints.append(f"it could not load {url.removeprefix(self.base)}")

    def finished(self, url: str) -> None:
        if url.startswith(self.base):
            self.loaded.append(unquote(urlsplit(url.removeprefix(self.base)).path))

    def console(self, message: object) -> None:
        kind, text = message.type, message.text  # type: ignore[attr-defined]
        if kind in ("error", "warning") and text not in KNOWN_NOISE:
            self.complaints.append(f"the console says ({kind}): {text}")

    def open(self, path: str) -> Page:
        self.watch()
        self.page.goto(self.base + path, wait_until="load")
        self.page.wait_for_load_state("networkidle")
        return self.page


def visit(chromium: Browser, base: str, path: str, name: str = "desk", **options: object) -> Visit:
    """Open a page of the book in a fresh context."""
    width, scheme = WIDTHS[name]
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    visited = Visit(context.new_page(), base)
    visited.open(path)
    return visited


# What sticks out of the screen, less what scrolls inside a box of its own.
WIDER = """() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const boxed = (e) => e !== document.body && (getComputedStyle(e).overflowX !== "visible" || boxed(e.parentElement));
  const wide = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > limit + 1 && !boxed(e.parentElement));
  return ["the page itself", ...wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 80))];
}"""

# The theme's own pictures may be decoration (alt=""), a chapter's never; a file's name is no description.
UNNAMED = """() => [...document.querySelectorAll("img")]
  .filter((i) => !i.hasAttribute("alt") || (i.closest("article") && !i.alt.trim())
    || /\\.(png|svg|jpe?g|gif)$/i.test(i.alt))
  .map((i) => i.src.slice(0, 120))"""

BROKEN = """() => [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src.slice(0, 120))"""


def weight(path: str, loaded: list[str]) -> tuple[int, int, int]:
    """Bytes of a page, of the page compressed, and of the files of its own that it loaded."""
    files = {file for file in loaded if not file.startswith("_static/") and file != "searchindex.js"}
    pictures = sum((HTML / file).stat().st_size for file in files if not file.endswith(".html"))
    text = (HTML / path).read_bytes()
    return len(text), len(gzip.compress(text)), pictures


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_whole_alone_and_is_light(
    browser: Browser, base: str, path: str, width: str, record_property: Callable[[str, object], None]
) -> None:
    visited = visit(browser, base, path, width)
    page, complaints = visited.page, visited.complaints
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
    page.context.close()
    if path in CHAPTERS and base.startswith("http") and width == "desk":
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


class Links(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids |= {value for key in ("id", "name") if (value := named.get(key))}
        if tag == "a" and (target := named.get("href")):
            self.targets.add(target)


@pytest.mark.parametrize("path", PAGES)
def test_its_links_within_the_book_lead_somewhere(path: str) -> None:
    broken = []
    for target in Links((HTML / path).read_text(encoding="utf-8")).targets:
        address, anchor = urldefrag(target)
        if urlsplit(address).scheme or address.startswith("//"):
            continue
        file = (HTML / path).parent.joinpath(unquote(urlsplit(address).path)) if address else HTML / path
        if not file.is_file():
            broken.append(target)
        elif anchor and file.suffix == ".html":
            ids = Links(file.read_text(encoding="utf-8")).ids
            if unquote(anchor) not in ids:
                broken.append(target)
    assert not broken, f"{path} links to what is not there: {sorted(broken)}"


def picture(widget: Locator) -> str:
    """Everything that a widget draws, as text."""
    drawn: str = widget.evaluate(
        "(w) => [...w.querySelectorAll('canvas')].map((c) => c.toDataURL())"
        ".concat([...w.querySelectorAll('svg')].map((s) => s.outerHTML)).join()"
    )
    return drawn


def test_there_are_pages_with_widgets() -> None:
    assert set(DERIVING) <= set(WIDGET_PAGES)


@pytest.mark.parametrize("path", WIDGET_PAGES)
def test_every_slider_moves_its_picture(browser: Browser, base: str, path: str) -> None:
    visited = visit(browser, base, path)
    hosts = visited.page.locator(".ddpm-host").all()
    assert hosts
    for host in hosts:
        if host.locator(".ddpm-generate").count():
            continue  # its slider waits for a press: the next test
        if host.locator(".ddpm-learn, .ddpm-digits").count():
            continue  # a worker answers its sliders: the two tests after that
        sliders = [s for s in host.get_by_role("slider").all() if s.is_visible() and s.is_enabled()]
        assert sliders
        for slider in sliders:
            expect(slider).to_have_accessible_name(re.compile(r"\w"))
            pictures, values = set(), set()
            for key in ("Home", *["ArrowRight"] * 20, "End"):
                slider.press(key)
                if key != "ArrowRight" or len(values) < 12:  # a picture for each of the first ten presses
                    values.add(slider.input_value())
                    pictures.add(picture(host))
            assert len(pictures) >= 3, (
                f"The keys moved a slider to {values}, and there were {len(pictures)} pictures."
            )
    visited.page.context.close()
    assert not visited.complaints, "; ".join(visited.complaints)


def test_a_network_trains_in_the_page(browser: Browser, base: str) -> None:
    visited = visit(browser, base, "book/play.html")
    widget = visited.page.locator(".ddpm-learn")
    before = picture(widget)
    widget.get_by_role("button", name="Train").press("Enter")
    expect(widget.locator(".ddpm-word").first).to_contain_text(
        re.compile(r"after [\d,]{3,} steps"), timeout=60_000
    )
    widget.get_by_role("button", name="Pause").press("Enter")
    slider, pictures = widget.get_by_role("slider", name=re.compile("time t")), {before}
    for key in ("Home", "End"):
        slider.press(key)
        visited.page.wait_for_function(
            "(old) => !old.includes([...document.querySelectorAll('.ddpm-learn canvas')].map((c) => c.toDataURL())"
            ".concat([...document.querySelectorAll('.ddpm-learn svg')].map((s) => s.outerHTML)).join())",
            arg=list(pictures),
        )
        pictures.add(picture(widget))
    visited.page.context.close()
    assert not visited.complaints, "; ".join(visited.complaints)


def test_a_network_learns_digits_in_the_page(browser: Browser, base: str) -> None:
    visited = visit(browser, base, "book/play.html")
    widget = visited.page.locator(".ddpm-digits")

    def digits() -> list[str]:
        return [file for file in visited.loaded if file == "_static/train-digits.js"]

    assert not digits()  # not before the reader asks
    before = picture(widget)
    widget.get_by_role("button", name="Train").press("Enter")
    expect(widget).to_have_attribute("data-steps", re.compile("[3-9]"), timeout=60_000)
    widget.get_by_role("button", name="Pause").press("Enter")
    expect(widget).to_have_attribute("data-saved", "true", timeout=60_000)
    expect(widget).to_have_attribute("data-drawn", re.compile("[0-9]"), timeout=60_000)
    assert picture(widget) != before
    assert len(digits()) == 1
    visited.page.context.close()
    assert not visited.complaints, "; ".join(visited.complaints)


@pytest.mark.parametrize("path", [path for path in WIDGET_PAGES if "GenerateWidget(" in source_of(path)])
def test_a_press_draws_a_picture(browser: Browser, base: str, path: str) -> None:
    visited = visit(browser, base, path)
    page = visited.page

    def networks() -> list[str]:  # the shipped one, or the one that the chapter trained
        return [
            file for file in visited.loaded if re.match(r"_static/(generate-weights|network-.*)\.js$", file)
        ]

    assert not networks()  # not before the reader asks
    widget = page.locator(".ddpm-generate").first
    widget.get_by_role("button", name="Generate").press("Enter")
    expect(widget).to_have_attribute("data-state", re.compile("done|error"), timeout=60_000)
    assert widget.get_attribute("data-state") == "done", widget.locator(".ddpm-status").inner_text()
    assert len(networks()) == 1
    slider, pictures = widget.get_by_role("slider", name="step, through"), set()
    for key in ("Home", "PageUp", "End"):
        slider.press(key)
        pictures.add(picture(widget))
    assert len(pictures) == min(3, 1 + int(slider.get_attribute("max") or 0))  # one step has two ends
    page.context.close()
    assert not visited.complaints, "; ".join(visited.complaints)


@pytest.mark.parametrize("path", WIDGET_PAGES)
def test_without_scripts_the_pictures_still_show(browser: Browser, base: str, path: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + path, wait_until="load")
    fallbacks = page.locator(".ddpm-fallback img").all()
    assert len(fallbacks) == page.locator(".ddpm-host").count() > 0
    for fallback in fallbacks:
        expect(fallback).to_be_visible()
        box = fallback.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 40, f"A picture is {box['width']} x {box['height']}."
        assert fallback.get_attribute("alt"), "A picture has no alternative text."
    context.close()


@pytest.mark.parametrize("path", DERIVING)
def test_a_reader_can_check_herself_by_keyboard_and_without_scripts(
    browser: Browser, base: str, path: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + path, wait_until="load")
    answers = page.locator("details.self-check").all()
    assert len(answers) >= 12
    for answer in answers:
        reply = answer.locator("p").first
        expect(reply).not_to_be_visible()
        answer.locator("summary").press("Enter")
        expect(reply).to_be_visible()
        assert re.match(r"(Right\.|No:) ", reply.inner_text())
    context.close()
