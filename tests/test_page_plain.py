"""The plain copies beside the built book: the same numbers, links and headings."""

import re
from html import unescape
from pathlib import Path

import pytest

from tests.copied import COPIES, LINK, SITE, text
from tools.equations import ROOT, labels, numbers
from tools.notebook import read
from tools.plain.places import Course, page_id

HTML = ROOT / "_build" / "html"


@pytest.mark.pages
def test_numbers_and_links_are_those_of_the_built_book() -> None:
    pages = {file.stem: file.read_text(encoding="utf-8") for file in (HTML / "book").glob("*.html")}
    number = numbers()
    for label, chapter, _ in labels():
        shown = re.search(
            rf'class="eqno">\(([\d.]+)\)<a class="headerlink" href="#equation-{label}"',
            pages[Path(chapter).name],
        )
        assert shown is not None, label
        assert shown[1] == number[label], label
    read_at = set(re.findall(r'href="(https://[^"]+)"', unescape(pages["references"])))
    for path, copy in COPIES["colab"].items():
        for target in LINK.findall(text(copy)):
            page, _, anchor = target.removeprefix(f"{SITE}/book/").partition("#")
            if target.startswith(SITE):
                assert not anchor or f'id="{anchor}"' in pages[page.removesuffix(".html")], (
                    f"{path}: {target}"
                )
            else:
                assert target in read_at or target in text(read(ROOT / path)), f"{path}: {target}"


@pytest.mark.pages
def test_every_heading_is_called_as_in_the_built_book() -> None:
    """With apostrophes and accents: a copy's link to the published page must land."""
    for chapter, headings in Course(ROOT).headings.items():
        page = (HTML / f"{chapter}.html").read_text(encoding="utf-8")
        linked = {heading for heading in headings if re.fullmatch(r"[\w ,:'?-]+", heading)}
        absent = {heading for heading in linked if f'id="{page_id(heading)}"' not in page}
        assert not absent, chapter


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("The network's step", "the-networks-step"),
        ("The network\u2019s step", "the-networks-step"),
        ("The Fr\u00e9chet distance", "the-frechet-distance"),
    ],
)
def test_a_heading_is_called_as_the_page_calls_it(heading: str, anchor: str) -> None:
    assert page_id(heading) == anchor
