"""The whole book as one page to print: cover, contents, parts, chapters, and the solutions at the end."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bs4 import Tag

from tools.forms.chapters import Chapter, relink

HERE = Path(__file__).resolve().parent
SOLUTIONS = "Solutions"
FONT = "stix-two-math.woff2"  # of the formulas


@dataclass(frozen=True)
class Imprint:
    """What stands on the first page."""

    title: str
    authors: str
    version: str
    site: str | None  # where the book is published


def pygments_css(html: Path) -> str:
    """The colors of code in the light scheme, for a page that has no schemes."""
    css = (html / "_static" / "pygments.css").read_text(encoding="utf-8")
    light = [line for line in css.splitlines() if line.startswith('html[data-theme="light"] ')]
    return "\n".join(line.removeprefix('html[data-theme="light"] ') for line in light)


def font_css(path: str) -> str:
    """The font of the formulas, which lies at `path`."""
    return f'@font-face {{ font-family: "STIX Two Math"; src: url("{path}") format("woff2"); }}\n'


def one_page(chapters: list[Chapter], imprint: Imprint, html: Path, to_html: str) -> str:
    """The book as one HTML document. `to_html` is the path from it to the folder `html`; the chapters are used up."""
    for chapter in chapters:
        for tag in (chapter.text, *chapter.solutions):
            _name_apart(tag, chapter, {each.stem for each in chapters}, to_html)
    styles = [font_css(f"{to_html}/_static/{FONT}"), pygments_css(html), _running_heads(chapters)]
    styles += [(HERE / name).read_text(encoding="utf-8") for name in ("text.css", "paper.css")]
    body = [_cover(imprint), _contents(chapters)]
    part: str | None = None
    for chapter in chapters:
        if chapter.part != part:
            part = chapter.part
            body.append(f'<h1 class="part">{escape(part or "")}</h1>')
        body.append(f'<div class="chapter" style="page: {_page(chapter)}">{_demoted(chapter)}</div>')
    body.append(_solutions(chapters))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(imprint.title)}</title>
<style>{"".join(styles)}</style>
</head>
<body class="book">
{"".join(body)}
</body>
</html>
"""


def _name_apart(tag: Tag, chapter: Chapter, stems: set[str], to_html: str) -> None:
    """Let every id begin with its page's name, every link follow, and every picture be found."""
    for named in (tag, *tag.select("[id]")):
        if named.has_attr("id"):
            named["id"] = f"{chapter.stem}--{named['id']}"

    def place(page: str | None, anchor: str) -> str | None:
        stem = page or chapter.stem
        if stem not in stems:
            return None
        return f"#{stem}--{anchor}" if anchor else f"#{stem}--"

    relink(tag, place)
    for image in tag.select("img[src]"):
        image["src"] = re.sub(r"^\.\./", f"{to_html}/", str(image["src"]))


def _demoted(chapter: Chapter) -> str:
    """A chapter one level below its part, and the place that links to its page lead to."""
    text = chapter.text
    assert text.h1 is not None
    text.h1["id"] = f"{chapter.stem}--"
    for level in (4, 3, 2, 1):
        for heading in text.select(f"h{level}"):
            heading.name = f"h{level + 1}"
    return str(text)


def _page(chapter: Chapter) -> str:
    return f"page-{chapter.stem.replace('_', '-')}"


def _running_heads(chapters: list[Chapter]) -> str:
    """Each chapter's title at the head of its pages."""
    heads = [(_page(chapter), chapter.title) for chapter in chapters] + [("page-solutions", SOLUTIONS)]
    text = [(page, title.replace("\\", "").replace('"', "'")) for page, title in heads]
    return "".join(f'@page {page} {{ @top-center {{ content: "{title}"; }} }}\n' for page, title in text)


def _cover(imprint: Imprint) -> str:
    site = f'<p><a href="{imprint.site}">{imprint.site}</a></p>' if imprint.site else ""
    return f"""<div class="cover">
<p class="title">{escape(imprint.title)}</p>
<p class="subtitle">An interactive course on DDPM, printed</p>
<p>{escape(imprint.authors[:1].upper() + imprint.authors[1:])}</p>
<p>Version {imprint.version}</p>
{site}
<p class="small">Text and figures: CC BY 4.0. Code: MIT. Ideas: Ho, Jain and Abbeel, <em>Denoising Diffusion
Probabilistic Models</em>, 2020, arXiv:2006.11239, and the works that each chapter cites. What moves on the pages stands
still here; a line below each such figure says where it moves. Folds stand open, and solutions stand at the end.</p>
</div>
"""


def _contents(chapters: list[Chapter]) -> str:
    """The table of contents; tools/forms/pdf.py fills in the numbers of the pages."""
    rows: list[str] = []
    part: str | None = None
    for chapter in chapters:
        if chapter.part != part:
            part = chapter.part
            rows.append(f'<p class="toc-part">{escape(part or "")}</p>')
        rows.append(_row("toc-chapter", f"{chapter.stem}--", escape(chapter.title)))
        sections = chapter.text.select(":scope > section[id] > h2")
        for heading in sections:
            assert heading.parent is not None
            inner = copy(heading)  # with its formulas
            for link in inner.select("a"):
                link.unwrap()
            rows.append(_row("toc-section", str(heading.parent["id"]), inner.decode_contents()))
    rows.append(_row("toc-chapter", "solutions--", SOLUTIONS))
    return f'<nav class="contents"><h1>Contents</h1>{"".join(rows)}</nav>\n'


def _row(kind: str, anchor: str, title: str) -> str:
    return (
        f'<p class="{kind}"><a href="#{anchor}"><span class="toc-title">{title}</span>'
        f'<span class="toc-page" data-of="{anchor}">000</span></a></p>'
    )


def _solutions(chapters: list[Chapter]) -> str:
    """The solutions of every chapter, each below its exercise's name, which leads back."""
    parts = []
    for chapter in chapters:
        if chapter.solutions:
            solved = "".join(str(each) for each in chapter.solutions)
            parts.append(f"<section><h2>{escape(chapter.title)}</h2>{solved}</section>")
    title = f'<h1 id="solutions--">{SOLUTIONS}</h1>'
    return f'<div class="chapter" style="page: page-solutions">{title}{"".join(parts)}</div>'
