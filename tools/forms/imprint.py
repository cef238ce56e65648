"""What the first page of a form says: title, authors, version, and where the book is published."""

from __future__ import annotations

from pathlib import Path

import yaml  # type: ignore[import-untyped]

from tools.address import find_address
from tools.forms.paper import Imprint


def imprint(root: Path) -> Imprint:
    """From CITATION.cff, _config.yml and the repository's address."""
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    title = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["title"]
    address = find_address(root)
    authors = ", ".join(author["name"] for author in citation["authors"])
    return Imprint(title, authors, citation["version"], address.site if address else None)
