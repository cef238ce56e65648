"""Set the mathematics of the pages as they are built: MathML, which a browser shows without a script, in place of TeX.

sphinx writes formulas as MathJax wants them, TeX between brackets in elements of the class `math`. They are read all at
once when the pages are written. A page that has none left is not touched: to run this again changes nothing.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.ext.mathjax import html_visit_displaymath, html_visit_math

from tools.mathml import Misread, to_mathml

RENDERER = "mathml"
INLINE = r'(?P<span><span class="math[^"]*">)\\\((?P<inline>.*?)\\\)</span>'
NUMBER = r'(?:<span class="eqno">.*?</a></span>)?'
BLOCK = rf'(?P<div><div class="math[^"]*"[^>]*>\s*{NUMBER})\\\[(?P<block>.*?)\\\]</div>'
FORMULA = re.compile(f"{INLINE}|{BLOCK}", re.DOTALL)


def formulas(html: str) -> list[tuple[str, bool]]:
    """The TeX of every formula of a page, and whether it stands on a line of its own."""
    return [
        (unescape(found["inline"] or found["block"]), not found["span"]) for found in FORMULA.finditer(html)
    ]


def set_formulas(pages: dict[Path, str]) -> dict[Path, str]:
    """The pages with MathML in place of TeX; raises `Misread` for a formula that is none."""
    named = [formula for html in pages.values() for formula in formulas(html)]
    made = iter(to_mathml(list(dict.fromkeys(named)))) if named else iter(())
    known = dict(zip(dict.fromkeys(named), made, strict=True))

    def put(found: re.Match[str]) -> str:
        tex = unescape(found["inline"] or found["block"])
        if found["span"]:
            return f"{found['span']}{known[tex, False]}</span>"
        return f'{found["div"]}<div class="display">{known[tex, True]}</div></div>'  # it scrolls, its number does not

    return {path: FORMULA.sub(put, html) for path, html in pages.items()}


def set_pages(app: Sphinx, exception: Exception | None) -> None:
    """Set the mathematics of the pages of a build that succeeded."""
    if exception is not None or app.builder.format != "html":
        return
    before = {path: path.read_text(encoding="utf-8") for path in Path(app.outdir).rglob("*.html")}
    before = {path: html for path, html in before.items() if FORMULA.search(html)}
    try:
        after = set_formulas(before)
    except Misread as error:
        raise ExtensionError(str(error)) from error
    for path, html in after.items():
        path.write_text(html, encoding="utf-8")


def add_math(app: Sphinx) -> None:
    """Let sphinx write TeX, add no script to a page, and set the pages at the end."""
    app.add_html_math_renderer(RENDERER, (html_visit_math, None), (html_visit_displaymath, None))
    app.connect("build-finished", set_pages)
