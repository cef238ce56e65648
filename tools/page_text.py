"""Keep together in the pages what a browser would break apart at the end of a line.

A formula and the full stop behind it, a number and its percent sign, an option such as `--flip`. A name of code in a
table may break after an underscore, and nowhere else. Code that stands alone is left as it is. To apply this again
changes nothing. Where no formula can stand, as in the words of a fold or beneath a widget, x_t becomes an x with an
index.
"""

from __future__ import annotations

import re

ALONE = re.compile(r"(<(?P<tag>pre|script|style|textarea)\b.*?</(?P=tag)>)", re.DOTALL)
CODE = re.compile(r"(<code\b.*?</code>)", re.DOTALL)
CELL = re.compile(r"<(?P<tag>t[dh])\b.*?</(?P=tag)>", re.DOTALL)
WORD = re.compile(r'<span class="pre">([^<]*)</span>')
OPTION = re.compile(r'<span class="pre">(?=-{1,2}[A-Za-z])')
PERCENT = re.compile(r"(?<=\d) (?=%)")
MATH = r'<span class="math notranslate nohighlight"><math\b(?:(?!</math>).)*</math></span>'
OPEN, CLOSE = "([\u201c\u2018\\[", ".,;:!?)\u201d\u2019\u2026\\]"  # curly quotes too
KEPT = re.compile(
    rf'(?P<done><span class="kept">.*?</math></span>[{CLOSE}]*</span>)|[{OPEN}]?(?P<math>{MATH})[{CLOSE}]*',
    re.DOTALL,
)
TEXT = re.compile(r">[^<]+<")
INDEX = re.compile(r"(?<![\w.])([A-Zpx])_(t|T|s|\d+|simple)\b")
NO_BREAK_SPACE, MAY_BREAK = "\u00a0", "<wbr>"


def with_its_stop(found: re.Match[str]) -> str:
    """A formula within one box with the signs that touch it."""
    text = found[0]
    return text if found["done"] or text == found["math"] else f'<span class="kept">{text}</span>'


def in_pieces(found: re.Match[str]) -> str:
    """A word of code that may break after each underscore and before each dot."""
    word = re.sub(r"(?<=\w)(_+)(?=\w)", rf"\1{MAY_BREAK}", found[1])
    return f'<span class="pre">{re.sub(r"(?<=[a-z])(?=[.][A-Za-z])", MAY_BREAK, word)}</span>'


def set_in_words(found: re.Match[str]) -> str:
    """What stands between two tags, its percent signs kept and its indices set."""
    return INDEX.sub(r"<i>\1</i><sub>\2</sub>", PERCENT.sub(NO_BREAK_SPACE, found[0]))


def keep_together(html: str) -> str:
    """A page whose lines break where a reader expects it."""
    parts = ALONE.split(html)
    for i in range(0, len(parts), 3):  # text, code that stands alone, its tag, text, ...
        text = CELL.sub(lambda cell: WORD.sub(in_pieces, cell[0]), parts[i])
        text = KEPT.sub(with_its_stop, OPTION.sub('<span class="pre option">', text))
        words = CODE.split(text)
        words[::2] = [TEXT.sub(set_in_words, word) for word in words[::2]]
        parts[i] = "".join(words)
    return "".join(part for i, part in enumerate(parts) if i % 3 != 2)
