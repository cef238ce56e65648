"""The slides of a built book: a file a chapter, beside its pages, and one that lists them."""

from __future__ import annotations

from html import escape
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from tools.forms.chapters import order
from tools.slides.deck import deck, stylesheet

FOLDER = "slides"
WITHOUT = "To look things up"  # the part that nobody lectures on


def chapters(toc: Path) -> list[str]:
    """The pages that have slides, as `_toc.yml` names them: those that are notebooks, less what is looked up."""
    return [name for name, part in order(toc) if (toc.parent / f"{name}.ipynb").is_file() and part != WITHOUT]


def write_slides(html: Path, toc: Path) -> list[Path]:
    """Write the slides of the book built in the folder `html`; return the chapters' files."""
    title = yaml.safe_load((toc.parent / "_config.yml").read_text(encoding="utf-8"))["title"]
    style, out = stylesheet(html), html / FOLDER
    out.mkdir(exist_ok=True)
    written, rows = [], ""
    for name in chapters(toc):
        path = out / f"{Path(name).name}.html"
        text, heading = deck(html / f"{name}.html", title, style)
        path.write_text(text, encoding="utf-8")
        written.append(path)
        rows += f'<li><a href="{path.name}">{heading}</a></li>\n'
    (out / "index.html").write_text(_index(title, rows, style), encoding="utf-8")
    return written


def _index(title: str, rows: str, style: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slides: {escape(title)}</title>
<link rel="icon" href="../_static/logo.svg">
<style>{style}</style>
</head>
<body>
<main class="index">
<h1>Slides</h1>
<p>Made from the chapters of <a href="../index.html">{escape(title)}</a>: their pictures, widgets, equations and
questions. The widgets move. A chapter's prose stands in the notes.</p>
<p><kbd>→</kbd> <kbd>←</kbd> or a presenter's remote turns the slides, <kbd>N</kbd> opens the notes below them,
<kbd>F</kbd> fills the screen, <kbd>Esc</kbd> leaves a slider. To hand them out, print a chapter to a PDF: one slide a
page.</p>
<ul>
{rows}</ul>
</main>
</body>
</html>
"""
