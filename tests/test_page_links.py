"""Every link within the built book leads to a page, and to a place on it."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.visit import PAGES
from tools.serve import HTML

pytestmark = pytest.mark.pages


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


@cache
def links(file: Path) -> Links:
    """The links of a page, read once."""
    return Links(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES)
def test_its_links_within_the_book_lead_somewhere(path: str) -> None:
    broken = []
    for target in links(HTML / path).targets:
        address, anchor = urldefrag(target)
        if urlsplit(address).scheme or address.startswith("//"):
            continue
        file = (HTML / path).parent.joinpath(unquote(urlsplit(address).path)) if address else HTML / path
        if not file.is_file() or (
            anchor and file.suffix == ".html" and unquote(anchor) not in links(file.resolve()).ids
        ):
            broken.append(target)
    assert not broken, f"{path} links to what is not there: {sorted(broken)}"
