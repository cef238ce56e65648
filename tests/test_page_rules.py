"""What the theme writes is mended by rule, once."""

import re

import pytest

from tools.page_rules import RULES, mend
from tools.serve import HTML

# What the theme, myst-nb and Sphinx write, and what becomes of it.
PAGES = {
    '<summary aria-label="Toggle hidden content">Show': "<summary>Show",
    '<button class="btn search-button-field x" title="Search" aria-label="Search" data-x>': (
        '<button class="btn search-button-field x" title="Search" data-x>'
    ),
    '<i class="theme-switch fa-moon" data-mode="dark"  title="Dark"></i>': (
        '<i class="theme-switch fa-moon" data-mode="dark" ></i>'
    ),
    '<th class="head"><p></p></th><th class="head"><p>w</p></th>': (
        '<td class="head"></td><th class="head"><p>w</p></th>'
    ),
    '<div class="citation" id="id3" role="doc-biblioentry">': '<div class="citation" id="id3" role="listitem">',
}


@pytest.mark.parametrize("before", PAGES)
def test_a_rule_mends_what_it_is_for_and_then_nothing_more(before: str) -> None:
    assert mend(before) == PAGES[before]
    assert mend(PAGES[before]) == PAGES[before]


def test_what_no_rule_names_stays() -> None:
    page = '<button aria-label="Search"></button><i title="Dark"></i><th class="head"><p>t</p></th><header id="x">'
    assert mend(page) == page


@pytest.mark.pages
def test_every_rule_has_mended_something() -> None:
    """Else the theme has changed, and the rule has nothing to do or misses what it is for."""
    book = "".join(path.read_text(encoding="utf-8") for path in sorted((HTML / "book").glob("*.html")))
    for rule in RULES:
        assert not re.search(rule.find, book), rule.why
        if not rule.put:
            continue
        written = re.sub(r"\\1.*?(?= |$)", "", rule.put).strip()
        assert written in book, rule.why
