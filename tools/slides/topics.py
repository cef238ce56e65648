"""What of a chapter goes on its slides, what into the notes: one pass over a built page.

On a slide stand headings, pictures and widgets with their captions, numbered equations, Predict boxes, tables, lists,
questions and exercises, and code that defines something. The prose becomes the notes; solutions and hints stay in the
book.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field
from html import escape

from bs4 import Tag
from bs4.element import NavigableString, PageElement

from tools.forms.chapters import words

OPEN = ("recap", "exercises", "check-yourself")
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z“])")
LONGEST_LEAD = 190  # characters
LONGEST = 26  # lines of code, or of what it prints
HIDDEN = ("tag_hide-input", "tag_hide-cell", "tag_remove-output")


@dataclass
class Topic:
    """A heading and what stands below it, in reading order."""

    level: int  # 1, 2 or 3
    title: str  # HTML
    anchor: str  # of its section in the page
    lead: str = ""  # HTML of the sentence below the title
    rows: list[tuple[str, str]] = field(default_factory=list)  # (kind of block or "note", HTML)

    @property
    def shows(self) -> bool:
        """Whether there is anything for a slide."""
        return any(kind != "note" for kind, _ in self.rows)


def topics(text: Tag) -> list[Topic]:
    """The topics of a page, its `<section>` given; the prose of one that shows nothing joins the one before."""
    found: list[Topic] = []
    _walk(text, "", found)
    kept: list[Topic] = []
    for topic in found:
        if topic.shows or topic.level == 1:
            kept.append(topic)
        else:
            kept[-1].rows += topic.rows
    return kept


def _walk(section: Tag, within: str, found: list[Topic]) -> None:
    anchor = str(section.get("id", ""))
    within = next((name for name in OPEN if anchor == name), within)
    heading = section.find(["h1", "h2", "h3", "h4"], recursive=False)
    assert isinstance(heading, Tag), anchor
    topic = Topic(int(heading.name[1]), heading.decode_contents().strip(), anchor)
    found.append(topic)
    children = [child for child in section.children if isinstance(child, Tag) and child is not heading]
    for i, child in enumerate(children):
        if child.name == "section":
            _walk(child, within, found)
        elif child.name == "p" and "last-run" not in (child.get("class") or []):
            follows = children[i + 1] if i + 1 < len(children) else None
            _paragraph(topic, child, follows, within)
        elif child.name != "p":
            _block(topic, child, within)


def _paragraph(topic: Topic, paragraph: Tag, follows: Tag | None, within: str) -> None:
    """A question or an exercise is shown; of prose, the first sentence and one that leads to an equation."""
    if _has(follows, "self-check"):
        topic.rows.append(("question", str(paragraph)))
    elif within == "exercises" and topic.level > 2 and not words(paragraph).startswith("Next:"):
        topic.rows.append(("text", str(paragraph)))
    else:
        topic.rows.append(("note", str(paragraph)))
        if not topic.lead and len(topic.rows) == 1:
            topic.lead = _sentence(paragraph, 0)
        elif follows is not None and _is_numbered(follows) and words(paragraph).endswith(":"):
            topic.rows.append(("leading", _sentence(paragraph, -1)))


def _sentence(paragraph: Tag, which: int) -> str:
    """The first (0) or the last (-1) sentence, with its formulas; empty where it is too long for a slide."""
    parts: list[list[PageElement | str]] = [[]]
    for child in paragraph.children:
        text = escape(str(child), quote=False) if isinstance(child, NavigableString) else None
        pieces = SENTENCE.split(text) if text is not None else [child]
        for i, piece in enumerate(pieces):
            if i:
                parts.append([])
            parts[-1].append(piece if isinstance(piece, str) else copy(piece))
    chosen = [part for part in parts if part][which]
    html = "".join(str(each) for each in chosen)
    if html.count("“") != html.count("”"):  # half of what someone says
        html = paragraph.decode_contents()
    html = re.sub(r' id="[^"]*"', "", html)
    plain = re.sub(r"<[^>]*>", "", re.sub(r'alttext="[^"]*"', "", html))
    return html if len(plain) <= LONGEST_LEAD else ""


def _has(tag: Tag | None, name: str) -> bool:
    return tag is not None and name in (tag.get("class") or [])


def _is_numbered(tag: Tag) -> bool:
    return _has(tag, "math") and tag.select_one("span.eqno") is not None


def _block(topic: Topic, tag: Tag, within: str) -> None:
    rows = topic.rows
    if tag.name == "blockquote":
        rows.append(("predict", str(tag)))
    elif _is_numbered(tag):
        rows.append(("equation", str(tag)))
    elif _has(tag, "self-check"):
        if rows and rows[-1][0] == "question":
            rows[-1] = ("question", rows[-1][1] + str(tag))
        else:
            rows.append(("question", str(tag)))
    elif _has(tag, "cell"):
        _cell(topic, tag, within)
    elif tag.name == "details":
        if within != "exercises":
            rows.append(("note", str(tag)))
    elif tag.name in ("ul", "ol") or _has(tag, "pst-scrollable-table-container"):
        rows.append(("list" if tag.name in ("ul", "ol") else "table", str(tag)))
    elif tag.name == "figure":
        rows.append(("figure", str(tag)))
    elif not _has(tag, "toctree-wrapper"):
        rows.append(("note", str(tag)))


def _cell(topic: Topic, cell: Tag, within: str) -> None:
    """What a cell shows; its code where it stands unfolded and defines something, or is what has to be debugged."""
    folded = any(_has(cell, name) for name in HIDDEN)
    debug = _has(cell, "tag_remove-output") and "Debug" in topic.title
    code = cell.select_one("div.cell_input pre")
    defines = not folded and within != "exercises" and code is not None and "def " in code.get_text()
    if code is not None and (debug or defines):
        _code(topic, code, True)
    if _has(cell, "tag_hide-cell"):
        return
    pictured = not folded and cell.select_one("div.cell_output figure") is not None
    for output in cell.select("div.cell_output > *"):
        if output.select_one("div.ddpm-host"):
            topic.rows.append(("widget", str(output)))
        elif output.name == "figure":
            topic.rows.append(("figure", str(output)))
        elif _has(output, "pst-scrollable-table-container"):
            topic.rows.append(("table", str(output)))
        elif pre := output.select_one("pre"):
            printed = _has(output, "stream") or not any("highlight-" in name for name in output["class"])
            if printed and defines and topic.rows[-1][0] == "code":
                both = topic.rows[-1][1] + f"<div class='highlight'>{pre}</div>"
                topic.rows[-1] = ("code" if both.count("\n") < LONGEST else "note", both)
            else:
                _code(topic, pre, within != "exercises" and (pictured if printed else not folded))


def _code(topic: Topic, pre: Tag, shown: bool) -> None:
    short = pre.get_text().strip().count("\n") < LONGEST
    topic.rows.append(("code" if shown and short else "note", f"<div class='highlight'>{pre}</div>"))
