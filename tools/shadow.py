"""The book as Jupyter Book 2 takes it, to see what it lacks: the chapters and a `myst.yml`, in a folder of their own.

python -m tools.shadow     into _build/shadow; build there with `jupyter-book build --html`, of version 2

The book stays on Jupyter Book 1. CONTRIBUTING says what is missing in 2, and the workflow `shadow` builds it weekly.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "shadow"
THEME = "book-theme"


def page_file(root: Path, name: str) -> str | None:
    """A page's file; None for one that only our own build writes."""
    return next((name + end for end in (".ipynb", ".md") if (root / (name + end)).is_file()), None)


def settings(root: Path) -> dict[str, Any]:
    """What `myst.yml` says, from `_toc.yml` and `_config.yml`."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    said = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    pages: list[dict[str, Any]] = [{"file": page_file(root, toc["root"])}]
    for part in toc["parts"]:
        files = [page_file(root, chapter["file"]) for chapter in part["chapters"]]
        pages.append({"title": part["caption"], "children": [{"file": file} for file in files if file]})
    project = {
        "title": said["title"],
        "bibliography": said["bibtex_bibfiles"],
        "numbering": {"equation": True, "figure": True},
        "toc": pages,
    }
    return {"version": 1, "project": project, "site": {"template": THEME}}


def write_shadow(root: Path, out: Path) -> Path:
    """Copy the book, with the outputs of its last run where there was one, and write `myst.yml` beside it."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(root / "book", out / "book")
    for ran in (root / "_build" / "executed" / "book").glob("*.ipynb"):
        shutil.copy2(ran, out / "book" / ran.name)
    target = out / "myst.yml"
    target.write_text(yaml.safe_dump(settings(root), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return target


if __name__ == "__main__":
    print(write_shadow(ROOT, OUT).relative_to(ROOT))
