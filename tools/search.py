"""The book's search finds a word with or without its accents: Frechet finds Fréchet, and the other way round."""

from __future__ import annotations

import unicodedata

from sphinx.search.en import SearchEnglish

# The same in the page: what sphinx does to a query, after the accents are gone. It must stay one expression.
SPLITTER = r"""
var splitQuery = (query) => query
  .normalize("NFD").replace(/\p{Mark}/gu, "")
  .split(/[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+/gu)
  .filter((term) => term);
"""


def without_accents(text: str) -> str:
    """The text with every accented letter as its plain one."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


class SearchWithoutAccents(SearchEnglish):
    """English, indexed and asked without accents."""

    js_splitter_code = SPLITTER

    def split(self, input: str) -> list[str]:
        """The words of a text."""
        return super().split(without_accents(input))
