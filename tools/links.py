"""Whether the addresses outside the book that its text names still answer.

python -m tools.links     a table in Markdown of those that do not; nothing else fails, for the network may be at fault

It needs nothing but Python, so that it runs without the book's environment.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("*.md", "book/*.md", "book/*.bib", "CITATION.cff")
ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^\[\]]+")
LEFT_OUT = ("http://127.0.0.1", "http://localhost", "http://www.w3.org/")  # not to be visited
SECONDS = 20
ASKED = {"User-Agent": "Mozilla/5.0 (a weekly check of a book's links)"}


def prose(path: Path) -> str:
    """A file's text; of a notebook, its Markdown."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def trimmed(address: str) -> str:
    """An address without the punctuation of the sentence or link that it stands in."""
    address = address.rstrip(".,;:!?*_")
    while address.endswith(")") and address.count("(") < address.count(")"):
        address = address[:-1].rstrip(".,;:!?*_")
    return address.partition("#")[0]


def addresses(root: Path) -> dict[str, list[str]]:
    """Every address that the text names, and in which files; arXiv's and DOIs of the bibliography too."""
    found: dict[str, list[str]] = {}
    for path in sorted({p for pattern in (*TEXTS, "book/*.ipynb") for p in root.glob(pattern)}):
        text = prose(path)
        named = [trimmed(address) for address in ADDRESS.findall(text)]
        if path.suffix == ".bib":
            named += [f"https://arxiv.org/abs/{key}" for key in re.findall(r"eprint\s*=\s*\{([^}]+)\}", text)]
            named += [f"https://doi.org/{key}" for key in re.findall(r"doi\s*=\s*\{([^}]+)\}", text)]
        for address in named:
            if not address.startswith(LEFT_OUT) and path.name not in found.setdefault(address, []):
                found[address].append(path.name)
    return {address: files for address, files in found.items() if files}


def answer(address: str) -> str | None:
    """What is wrong with an address; None where it answers. Being told to ask less, or as a person, is an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=ASKED), timeout=SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code in (401, 403, 405, 429) else f"{error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return " ".join(str(error).split())


def report(named: dict[str, list[str]], wrong: Iterable[str | None]) -> str:
    """The table."""
    rows = [
        (address, files, said) for (address, files), said in zip(named.items(), wrong, strict=True) if said
    ]
    lines = [f"{len(named)} addresses, {len(rows)} without an answer", ""]
    if rows:
        lines += ["| address | named in | answer |", "|---|---|---|"]
        lines += [f"| {address} | {', '.join(files)} | {said} |" for address, files, said in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    named = addresses(ROOT)
    with ThreadPoolExecutor(8) as pool:
        print(report(named, pool.map(answer, named)))
