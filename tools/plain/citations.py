"""The papers of book/references.bib: how the text names one, and where it is read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

ENTRY = re.compile(r"^@\w+\{([^,\s]+),(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?\s*$", re.MULTILINE)
# TeX's accents, as {\"a} or {\'e}: the mark that follows a letter in Unicode
ACCENT = re.compile(r"\{\\(.)\s*\{?(\w)\}?\}")
MARKS = {
    '"': "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    "v": "\u030c",
    "c": "\u0327",
}


@dataclass(frozen=True)
class Paper:
    """One entry of the bibliography."""

    name: str  # "Ho et al. 2020"
    url: str | None  # where it is read; None where the entry names no address


def _letters(text: str) -> str:
    """TeX's text in Unicode, without its braces."""
    accented = ACCENT.sub(lambda found: unicodedata.normalize("NFC", found[2] + MARKS[found[1]]), text)
    return accented.replace("{", "").replace("}", "")


def _family(author: str) -> str:
    """ "Ho, Jonathan" is Ho; {NVIDIA} is no person, and NVIDIA."""
    return _letters(author.split(",")[0]).strip()


def _url(fields: dict[str, str]) -> str | None:
    if "eprint" in fields:
        return f"https://arxiv.org/abs/{fields['eprint']}"
    if "doi" in fields:
        return f"https://doi.org/{fields['doi']}"
    return fields.get("url")


def papers(bibliography: Path) -> dict[str, Paper]:
    """Every entry by its key. One author is named, or two; of more, the first."""
    found = {}
    for key, body in ENTRY.findall(bibliography.read_text(encoding="utf-8")):
        fields = dict(FIELD.findall(body))
        families = [_family(author) for author in fields["author"].split(" and ")]
        names = f"{families[0]} et al." if len(families) > 2 else " and ".join(families)
        found[key] = Paper(f"{names} {fields['year']}", _url(fields))
    return found
