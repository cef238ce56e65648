"""What an EPUB holds beside its text: the package, the contents, and the frame of a chapter."""

from __future__ import annotations

import mimetypes
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from tools.forms.chapters import Chapter
from tools.forms.paper import FONT, SOLUTIONS, Imprint

CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
ACCESS = {  # https://www.w3.org/TR/epub-a11y-11/
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual,visual", "textual"),
    "accessibilityFeature": ("alternativeText", "MathML", "structuralNavigation", "tableOfContents"),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": ("Pictures have descriptions, formulas are MathML with their TeX as words.",),
}


@dataclass(frozen=True)
class Item:
    """A file of the text."""

    name: str
    file: str
    title: str
    mathml: bool


def document(title: str, body: str, kind: str = "") -> str:
    """A file of the text."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>
<body{kind}>{body}</body>
</html>
"""


def navigation(title: str, chapters: Sequence[Chapter], titles: dict[str, str]) -> str:
    """The table of contents, chapters below their parts."""

    def row(stem: str) -> str:
        return f'<li><a href="{stem}.xhtml">{escape(titles[stem])}</a></li>'

    rows = ""
    for part, group in groupby(chapters, key=lambda chapter: chapter.part):
        inner = "".join(row(chapter.stem) for chapter in group)
        rows += f"<li><span>{escape(part)}</span><ol>{inner}</ol></li>" if part else inner
    rows += f'<li><a href="solutions.xhtml">{SOLUTIONS}</a></li>'
    return document(title, f'<nav epub:type="toc"><h1>Contents</h1><ol>{rows}</ol></nav>')


def package(said: Imprint, items: Sequence[Item], pictures: Sequence[str]) -> str:
    """What the book is, what it holds, and in which order it is read."""
    now = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    access = "".join(
        f'<meta property="schema:{name}">{value}</meta>\n'
        for name, values in ACCESS.items()
        for value in values
    )
    mathml = {True: ' properties="mathml"', False: ""}
    manifest = "".join(
        f'<item id="{item.name}" href="{item.file}" media-type="application/xhtml+xml"{mathml[item.mathml]}/>\n'
        for item in items
    )
    manifest += "".join(
        f'<item id="picture-{i}" href="{name}" media-type="{mimetypes.guess_type(name)[0]}"/>\n'
        for i, name in enumerate(pictures)
    )
    spine = "".join(f'<itemref idref="{item.name}"/>\n' for item in items)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book">urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f"{said.title} {said.version}")}</dc:identifier>
<dc:title>{escape(said.title)}</dc:title>
<dc:creator>{escape(said.authors)}</dc:creator>
<dc:language>en</dc:language>
<dc:rights>Text and figures: CC BY 4.0. Code: MIT.</dc:rights>
<meta property="dcterms:modified">{time.strftime("%Y-%m-%dT%H:%M:%SZ", now)}</meta>
{access}</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
<item id="font" href="{FONT}" media-type="font/woff2"/>
{manifest}</manifest>
<spine>
<itemref idref="nav"/>
{spine}</spine>
</package>
"""
