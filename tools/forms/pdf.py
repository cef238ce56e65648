"""The whole book as a PDF, printed by the Chromium that the pages are tested in.

python -m tools.forms.pdf     from _build/html to _build/pdf
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import launch
from tools.forms.chapters import read_chapters
from tools.forms.imprint import imprint
from tools.forms.paper import one_page
from tools.serve import HTML, ROOT

OUT = ROOT / "_build" / "pdf"

# A formula that is wider than the paper becomes as much smaller as it must.
FIT = """() => {
  for (const box of document.querySelectorAll("div.math > div.display")) {
    const number = box.parentElement.querySelector(".eqno");
    const room = box.clientWidth - (number ? 2 * number.offsetWidth : 0);
    const formula = box.querySelector("math");
    formula.style.display = "inline-block math";
    const wide = formula.getBoundingClientRect().width;
    formula.style.display = "";
    if (wide > room) box.style.fontSize = `${(100 * room) / wide}%`;
  }
}"""
NUMBER = """(pages) => {
  for (const place of document.querySelectorAll(".toc-page")) place.textContent = pages[place.dataset.of];
}"""


OBJECT = re.compile(rb"^(\d+) 0 obj\n(.*?)endobj", re.MULTILINE | re.DOTALL)
REFERENCE = re.compile(rb"(\d+) 0 R")


class Unreadable(ValueError):
    """A PDF that is not written as Chromium writes it."""


def destinations(pdf: bytes) -> dict[str, int]:
    """The page, from 1, of every place that a link within Chromium's PDF leads to.

    Its dictionaries are not compressed: /Root leads to the tree of /Pages, and to /Dests, which holds
    `/name [page 0 R /XYZ x y z]`. Raises `Unreadable` where they are not there.
    """
    objects = {int(found[1]): found[2] for found in OBJECT.finditer(pdf)}

    def refers(number: int, key: bytes) -> list[int]:
        found = re.search(rb"/" + key + rb"\s*(\[[^\]]*\]|\d+ 0 R)", objects[number])
        return [int(each) for each in REFERENCE.findall(found[1])] if found else []

    def leaves(number: int) -> list[int]:
        kids = refers(number, b"Kids")
        return [leaf for kid in kids for leaf in leaves(kid)] if kids else [number]

    root = re.search(rb"/Root (\d+) 0 R", pdf)
    if root is None or not (places := refers(int(root[1]), b"Dests")):
        raise Unreadable(
            "This PDF lists no destinations, so the contents cannot be numbered: print it by Chromium."
        )
    pages = {leaf: i for i, leaf in enumerate(leaves(refers(int(root[1]), b"Pages")[0]), start=1)}
    named = re.findall(rb"/(\S+) \[(\d+) 0 R /XYZ", objects[places[0]])
    return {name.decode(): pages[int(number)] for name, number in named}


def typeset(page: Page, path: Path) -> None:
    """Open the book and let its formulas fit."""
    page.set_viewport_size({"width": 643, "height": 950})  # what A4 leaves between the margins
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    page.evaluate("() => document.fonts.ready")
    page.evaluate(FIT)


def printed(page: Page) -> bytes:
    """The page as a PDF with bookmarks and tags, on the paper that its style asks for."""
    return page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    said = imprint(ROOT)
    source, target = OUT / "book.html", OUT / "book.pdf"
    source.write_text(
        one_page(read_chapters(HTML, ROOT / "_toc.yml", said.site), said, HTML, "../html"), "utf-8"
    )
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.set_default_timeout(600_000)
        typeset(page, source)
        pages = destinations(printed(page))  # the numbers are as wide as their places, so no page moves
        page.evaluate(NUMBER, pages)
        target.write_bytes(printed(page))
        browser.close()
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
