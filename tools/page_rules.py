"""Mend by rule what the theme, myst-nb and Sphinx write into every page, so that axe-core finds nothing there.

Each rule is a pattern, what replaces it, and why. They are applied once the pages are written, and change nothing
when they are applied again. tests/test_accessibility.py holds the result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sphinx.application import Sphinx

from tools.page_text import keep_together


@dataclass(frozen=True)
class Rule:
    """One thing that is written otherwise."""

    find: str  # a regular expression
    put: str
    why: str


RULES = (
    Rule(
        r'<summary aria-label="Toggle hidden content">',
        "<summary>",
        "myst-nb names every fold of code the same, whatever its words are",
    ),
    Rule(
        r'(<button class="btn search-button-field [^>]*?) aria-label="Search"',
        r"\1",
        "the button shows more words, its shortcut, than its name has",
    ),
    Rule(
        r'(<i class="theme-switch [^>]*?) title="[^"]*"',
        r"\1",
        "its icons have words that the button's name lacks (since pydata/pydata-sphinx-theme#1924)",
    ),
    Rule(
        r'<div class="sidebar-primary-items__start sidebar-primary__section">',
        '<div class="sidebar-primary-items__start sidebar-primary__section" role="banner">',
        "the book's title and the search stand in no landmark ...",
    ),
    Rule(
        r'<header id="pst-header" class="bd-header navbar navbar-expand-lg bd-navbar d-print-none">',
        r'<header id="pst-header" class="bd-header navbar navbar-expand-lg bd-navbar d-print-none" role="none">',
        "... and the header that the theme writes is empty",
    ),
    Rule(
        r'<th class="head"><p></p></th>',
        '<td class="head"></td>',
        "a header without words heads nothing (pydata/pydata-sphinx-theme#1480)",
    ),
    Rule(
        r'(<div class="citation" id="[^"]*") role="doc-biblioentry"',
        r'\1 role="listitem"',
        "the role is deprecated and no child of a list (w3c/html-aria#363)",
    ),
    Rule(
        r'<script src="\.\./(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>',
        "",
        "only the page of the search searches; elsewhere they weigh, and keep the words searched for from being marked",
    ),
    Rule(
        r'<nav id="pst-page-toc-nav"',
        '<nav id="contents-of-this-page"',
        "the theme's mark of the section being read sticks (pydata/pydata-sphinx-theme#1724); contents.js sets it",
    ),
)


def mend(html: str) -> str:
    """A page with every rule applied."""
    for rule in RULES:
        html = re.sub(rule.find, rule.put, html)
    return keep_together(html)


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """Apply the rules to the pages of a build that succeeded."""
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            before = path.read_text(encoding="utf-8")
            if (after := mend(before)) != before:
                path.write_text(after, encoding="utf-8")
