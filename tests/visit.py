"""A visit to a page of the built book: what it asked for, and what it complained of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tools.serve import HTML, ROOT, server

CHAPTERS = [f"{name}.html" for name in re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())]
PAGES = [*CHAPTERS, "index.html", "search.html"]


def source_of(path: str) -> str:
    """The notebook that a page was made from; nothing for a page of another kind."""
    file = ROOT / path.replace(".html", ".ipynb")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


WIDGET_PAGES = [path for path in CHAPTERS if "Widget(" in source_of(path)]
WIDTHS = {"desk": (1280, "light"), "phone": (390, "dark")}

# Console messages that are the theme's own and harmless, each by its exact text. There are none left.
KNOWN_NOISE: frozenset[str] = frozenset()


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
        if path == "index.html":  # it leads on to the first page
            self.page.wait_for_url("**/book/*.html")
        self.page.wait_for_function("document.fonts.status === 'loaded'")
        return self.page

    def end(self) -> list[str]:
        """Close the page, once it has been quiet for half a second since it was opened; what was complained of."""
        self.page.wait_for_load_state("networkidle")
        self.page.context.close()
        return self.complaints


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
