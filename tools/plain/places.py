"""Where things stand in the course: an equation and its number, a heading, a chapter, and the address that leads there.

A copy for Colab is opened alone, so its links lead to the published pages. A copy for JupyterLab lies beside the
others, so its links open those.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tools.equations import chapters, labels, numbers
from tools.notebook import read, source
from tools.plain.citations import Paper, papers

HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)


def slug(heading: str) -> str:
    """What a link in the book calls a heading: `#why-is-there-noise-at-all`."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page_id(heading: str) -> str:
    """What the built page calls it, as docutils' make_id: accents go, and so does an apostrophe, set as a curly one."""
    plain = unicodedata.normalize("NFKD", heading.lower().replace("'", "")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def lab_id(heading: str) -> str:
    """What JupyterLab calls it."""
    return re.sub(r"[`*]", "", heading).replace(" ", "-")


@dataclass(frozen=True)
class Course:
    """A copy of the course, and where its pages are published."""

    root: Path
    site: str | None = None  # https://owner.github.io/repo; None: links lead to the notebooks beside this one

    @cached_property
    def numbers(self) -> dict[str, str]:
        """The number of every labelled equation, "1.3"."""
        return numbers(self.root)

    @cached_property
    def equations(self) -> dict[str, str]:
        """The chapter of every labelled equation, as _toc.yml names it."""
        return {label: chapter for label, chapter, _ in labels(self.root)}

    @cached_property
    def headings(self) -> dict[str, list[str]]:
        """Every chapter's headings."""
        cells = {name: read(self.root / f"{name}.ipynb")["cells"] for name in chapters(self.root)}
        return {
            name: [
                heading
                for cell in found
                if cell["cell_type"] == "markdown"
                for heading in HEADING.findall(FENCE.sub("", source(cell)))
            ]
            for name, found in cells.items()
        }

    @cached_property
    def papers(self) -> dict[str, Paper]:
        """The bibliography."""
        return papers(self.root / "book" / "references.bib")

    def page(self, name: str) -> str | None:
        """The address of a page that is no notebook; None where none is published."""
        return f"{self.site}/{name}.html" if self.site else None

    def equation(self, label: str, here: str) -> str | None:
        """The address of an equation for the reader of chapter `here`; a formula of a notebook has none of its own."""
        chapter = self.equations[label]
        if self.site:
            return f"{self.site}/{chapter}.html#equation-{label}"
        return None if chapter == here else f"{Path(chapter).name}.ipynb"

    def heading(self, chapter: str, anchor: str, here: str) -> str:
        """The address of a chapter, or of a heading in it, for the reader of chapter `here`; KeyError where none is."""
        heading = next((text for text in self.headings[chapter] if slug(text) == anchor), None)
        if anchor and heading is None:
            raise KeyError(f"{chapter} has no heading #{anchor}")
        if self.site:
            return f"{self.site}/{chapter}.html" + (f"#{page_id(heading)}" if heading else "")
        return (f"{Path(chapter).name}.ipynb" if chapter != here else "") + (
            f"#{lab_id(heading)}" if heading else ""
        )
