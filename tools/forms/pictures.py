"""The pictures of the pages, gathered as files of an e-book."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from bs4 import Tag


@dataclass
class Pictures:
    """What the text shows, by its name within the book."""

    html: Path  # the built book
    files: dict[str, bytes] = field(default_factory=dict)

    def take(self, tag: Tag) -> None:
        """Gather each picture within the tag, a file of the built book or one written into its page."""
        for image in tag.select("img[src]"):
            source = str(image["src"])
            if source.startswith("data:image/png;base64,"):
                data = base64.b64decode(source.partition(",")[2])
                name = f"images/{hashlib.sha256(data).hexdigest()[:24]}.png"
            else:
                path = (self.html / "book" / source).resolve()
                data, name = path.read_bytes(), f"images/{path.name}"
            self.files[name] = data
            image["src"] = name
