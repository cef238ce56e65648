"""The built pages as chapters of a book: their text, in reading order, freed of what only a screen can do.

A widget becomes its still picture with the address of the live one, a fold stands open, and a solution is set aside,
so that a form can gather the solutions at its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

SCREEN = "script, style, a.headerlink, button, div.toctree-wrapper, .tocnote"
SOLUTION = ("Show the solution", "Show code cell content")  # the second is myst-nb's own word for such a cell
CODE = re.compile(r"^Show code cell \w+$|^Show(?= the code)|^Show the(?= )")
LIVE = re.compile(r"\s*With scripts on, .*", re.DOTALL)


@dataclass
class Chapter:
    """One page of the book."""

    name: str  # book/forward, as _toc.yml says
    part: str | None  # the caption of its part; None before the first
    title: str  # with its number: 1. The forward Markov chain
    text: Tag  # a <section>
    solutions: list[Tag] = field(default_factory=list)  # each a <div>, titled by its exercise

    @property
    def stem(self) -> str:
        """What links call the page: forward."""
        return self.name.rpartition("/")[2]


def order(toc: Path) -> list[tuple[str, str | None]]:
    """Every page of `_toc.yml` with the caption of its part, in reading order."""
    found = yaml.safe_load(toc.read_text(encoding="utf-8"))
    pages: list[tuple[str, str | None]] = [(found["root"], None)]
    # A small book may list its chapters without parts.
    for part in found.get("parts", [found]):
        pages += [(chapter["file"], part.get("caption")) for chapter in part.get("chapters", [])]
    return pages


def words(tag: Tag) -> str:
    """A tag's text on one line."""
    return " ".join(tag.get_text(" ").split())


def read_chapters(html: Path, toc: Path, site: str | None) -> list[Chapter]:
    """The chapters of the book built in the folder `html`, published at `site` if it is published."""
    chapters = []
    for name, part in order(toc):
        page = html / f"{name}.html"
        if not page.is_file():
            raise SystemExit(
                f"{page} is missing, and this form is made from the built pages: run `make html`."
            )
        text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one("article > section")
        assert text is not None, name
        chapters.append(_chapter(name, part, text, f"{site}/{name}.html" if site else None))
    return chapters


def _chapter(name: str, part: str | None, text: Tag, address: str | None) -> Chapter:
    heading = text.h1
    assert heading is not None, name
    for tag in text.select(SCREEN):
        tag.decompose()
    title = " ".join(heading.get_text().split())
    for comment in text.select("pre span.c1"):
        if comment.get_text().startswith("# @title"):  # words for Colab alone
            after = comment.next_sibling
            if isinstance(after, NavigableString):
                after.replace_with(after.removeprefix("\n"))
            comment.decompose()
    for host in text.select("div.ddpm-host"):
        _still(host, title, address)
    return Chapter(name, part, title, text, _open_folds(text, name))


def _new(name: str, text: str = "", **attributes: str) -> Tag:
    tag = BeautifulSoup("", "html.parser").new_tag(name, attrs=dict(attributes))
    if text:
        tag.string = text
    return tag


def _still(host: Tag, title: str, address: str | None) -> None:
    """A widget as a figure: its picture without scripts, what it shows, and where the live one is."""
    image, caption = host.select_one(".ddpm-fallback img"), host.select_one(".ddpm-fallback small")
    assert image is not None, title
    assert caption is not None, title
    figure, below = _new("figure", **{"class": "still"}), _new("figcaption")
    below.append(BeautifulSoup(LIVE.sub("", caption.decode_contents()), "html.parser"))
    below.append(" It moves on the page ")
    below.append(_new("a", title, href=address) if address else _new("em", title))
    below.append(f", {address}." if address else " of the built book.")
    figure.extend([image.extract(), below])
    host.replace_with(figure)


def _open_folds(text: Tag, name: str) -> list[Tag]:
    """Open every fold in its place, and set the solutions aside; return these."""
    solutions: list[Tag] = []
    for fold in text.select("details"):
        summary = fold.summary
        assert summary is not None, name
        label = summary.p or summary
        title = words(label)
        summary.extract()
        if title in SOLUTION:
            solutions.append(_set_aside(fold, f"solution-{len(solutions) + 1}"))
            continue
        fold.name = "div"
        if fold.find_parent("div", class_="tag_hide-input"):
            fold.attrs = {"class": "fold fold-code"}
            label.string = CODE.sub("Code", title)
        else:
            kind = "check" if "self-check" in (fold.get("class") or []) else "open"
            fold.attrs = {"class": f"fold fold-{kind}"}
        label.name, label.attrs = "p", {"class": "fold-title"}
        fold.insert(0, label)
    return solutions


def _set_aside(fold: Tag, anchor: str) -> Tag:
    """Move a solution out of the text; a link stays there."""
    heading = fold.find_previous(["h1", "h2", "h3"])
    assert isinstance(heading, Tag)
    place = _new("p", **{"class": "to-solution", "id": f"at-{anchor}"})
    place.append(_new("a", "The solution", href=f"#{anchor}"))
    place.append(" stands at the end of the book.")
    fold.replace_with(place)
    fold.name, fold.attrs = "div", {"class": "solution", "id": anchor}
    title = _new("h3")
    link = _new("a", href=f"#at-{anchor}")
    link.extend([copy(child) for child in heading.contents])
    title.append(link)
    fold.insert(0, title)
    return fold


def relink(tag: Tag, place: Callable[[str | None, str], str | None]) -> None:
    """Let every link within the book lead where `place(page, anchor)` says; one that it gives None for loses its link.

    `page` is None for the page that the link stands on.
    """
    for link in tag.select("a[href]"):
        href = str(link["href"])
        if re.match(r"[a-z]+:", href):
            continue
        path, _, anchor = href.partition("#")
        inside = path.endswith(".html") and "/" not in path.removeprefix("../book/")
        page = path.removeprefix("../book/").removesuffix(".html") or None
        target = place(page, anchor) if inside or not path else None
        if target is None:
            link.unwrap()
        else:
            link["href"] = target
