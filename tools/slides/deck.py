"""A chapter's topics as one HTML file: a slide a topic; deck.js moves what does not fit on to a slide of its own."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from tools.forms.chapters import SCREEN
from tools.forms.paper import FONT, font_css, pygments_css
from tools.slides.topics import Topic, topics

HERE = Path(__file__).resolve().parent
# Of the page's furniture a slide keeps the widgets' scripts and styles, and nothing else that a screen does.
FURNITURE = ", ".join(f"{part.strip()}:not(.ddpm-host *)" for part in SCREEN.split(","))


def chapter_text(page: Path) -> Tag:
    """The text of a built page, without links to its headings and buttons for its code."""
    text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one("article > section")
    assert text is not None, page
    for tag in text.select(FURNITURE):
        tag.decompose()
    for link in text.select("a.image-reference"):
        link.unwrap()
    return text


def stylesheet(html: Path) -> str:
    """The slides' style: the formulas' font, the colors of code, and deck.css."""
    own = (HERE / "deck.css").read_text(encoding="utf-8")
    return font_css(f"../_static/{FONT}") + pygments_css(html) + own


def _slide(topic: Topic) -> str:
    name = "h1" if topic.level == 1 else "h2"
    lead = f'<p class="lead">{topic.lead}</p>' if topic.lead else ""
    rows = "\n".join(
        f'<div class="note">{html}</div>'
        if kind == "note"
        else f'<div class="block {kind}"><div class="fit">{html}</div></div>'
        for kind, html in topic.rows
    )
    return f"""<section class="slide level-{topic.level}" id="{escape(topic.anchor)}">
<div class="stage"><div class="frame"><header><{name}>{topic.title}</{name}>{lead}</header>
<div class="body">{rows}</div></div></div>
<div class="notes" tabindex="0" role="group" aria-label="Notes"></div></section>"""


def _plain(title: str) -> str:
    """A title without its HTML, its formulas as they are written in TeX."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r'<math alttext="([^"]*)".*?</math>', r"\1", title)))


def _menu(found: list[Topic]) -> str:
    """A list of the sections to go to."""
    options = "".join(
        f'<option value="{escape(topic.anchor)}">{escape(_plain(topic.title), quote=False)}</option>'
        for topic in found
    )
    return f'<select aria-label="Section">{options}</select>'


def deck(page: Path, book: str, style: str) -> tuple[str, str]:
    """The slides of a built page, of the book with the given title; and the chapter's title, as HTML."""
    found = topics(chapter_text(page))
    title = _plain(found[0].title)
    body = _relink("\n".join(_slide(topic) for topic in found), page.name)
    html = f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-content_root="../">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} (slides)</title>
<link rel="icon" href="../_static/logo.svg">
<style>{style}</style>
</head>
<body>
<main>{body}</main>
<nav class="bar" aria-label="Slides"><a href="index.html">{escape(book)}</a>
<a href="../book/{page.name}">{escape(title)}</a>
{_menu(found)}
<button type="button" data-do="notes" aria-pressed="false">Notes (N)</button>
<button type="button" data-do="back" aria-label="The slide before">←</button><output></output>
<button type="button" data-do="next" aria-label="The next slide">→</button></nav>
<script>{(HERE / "deck.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""
    return html, found[0].title


def _relink(body: str, page: str) -> str:
    """Let links within the book lead to its pages, or to the slide that has the place."""
    ids = set(re.findall(r'\bid="([^"]+)"', body))

    def place(found: re.Match[str]) -> str:
        before, target = found.groups()
        path, hashed, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or (not path and anchor in ids):
            return found[0]
        return f'{before}../book/{(path or page).removeprefix("../book/")}{hashed}{anchor}"'

    return re.sub(r'(<a [^>]*?href=")([^"]*)"', place, body)
