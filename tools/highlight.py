"""Code in a page: lighter than Pygments writes it, and its long lines break under themselves where they must."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from re import sub

from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.token import Name, Operator, Punctuation, String, Text, Whitespace  # type: ignore[import-untyped]

# Names and punctuation have the color of plain text in both of the theme's styles, and operators need none. Without
# a span around each of them a chapter is a sixth lighter.
PLAIN = {Name, Name.Namespace, Operator, Punctuation, String.Affix, String.Interpol, Text, Whitespace}
COLUMN = 80  # characters; a few more fit the column at a desk's width


def long_line(line: str) -> str:
    """A line of highlighted HTML that may break: in a span that knows its indent (custom.css, `.long`)."""
    text = unescape(sub(r"<[^>]*>", "", line)).rstrip("\n")
    if len(text) <= COLUMN:
        return line
    indent = len(text) - len(text.lstrip(" "))
    return f'<span class="long" style="--indent:{indent}">{line}</span>'


class LightFormatter(HtmlFormatter):  # type: ignore[misc]
    """Pygments' HTML, with no span around what is not colored, and one around each long line."""

    def _get_css_classes(self, ttype: tuple[str, ...]) -> str:  # Pygments has no public place for it
        classes: str = "" if ttype in PLAIN else super()._get_css_classes(ttype)
        return classes

    def wrap(self, source: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """The lines, each with 1 where it is one of the code; its line break stays within, as text."""
        return super().wrap(  # type: ignore[no-any-return]
            (is_line, long_line(line) if is_line else line) for is_line, line in source
        )
