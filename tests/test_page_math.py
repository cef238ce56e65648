"""Formulas become MathML as the pages are built, with their TeX as words and with the letters and spaces of TeX."""

import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.mathml import Misread, to_mathml
from tools.page_math import FORMULA, set_formulas

MATHML = "{http://www.w3.org/1998/Math/MathML}"


def one(tex: str, display: bool = False) -> ElementTree.Element:
    (found,) = to_mathml([(tex, display)])
    return ElementTree.fromstring(found)


def test_formulas_become_mathml_with_their_tex_as_words() -> None:
    tex = r"\begin{aligned}\mathbf{x} &= \mathcal{N}\\ &= \mathbb{E}\end{aligned}"
    (found,) = to_mathml([(tex, True)])
    root = ElementTree.fromstring(found)
    assert (root.tag, root.get("alttext"), root.get("display")) == (f"{MATHML}math", tex, "block")
    letters = "".join(root.itertext())
    alphabets = ("BOLD SMALL X", "SCRIPT CAPITAL N", "DOUBLE-STRUCK CAPITAL E")
    assert letters == "=".join(unicodedata.lookup(f"MATHEMATICAL {name}") for name in alphabets)
    sides = [str(cell.get("style")).partition(";")[0] for cell in root.iter(f"{MATHML}mtd")]
    assert sides == ["text-align: right", "text-align: left"] * 2


def test_a_formula_that_nobody_can_read_is_refused() -> None:
    with pytest.raises(Misread, match=r"\\foo"):
        to_mathml([(r"\foo", False)])


def test_log_keeps_its_distance_and_a_root_doubles_none() -> None:
    log = one(r"2 \log q \log(x)")
    assert [cell.tag.removeprefix(MATHML) for cell in log][:4] == ["mn", "mspace", "mi", "mo"]
    assert [cell.get("rspace") for cell in log if cell.text == "\u2061"] == ["0.167em", None]
    assert [cell.tag.removeprefix(MATHML) for cell in one(r"\sqrt{a}\, b")] == ["msqrt", "mi"]
    assert len(list(one(r"a\, b").iter(f"{MATHML}mspace"))) == 1


def test_a_bar_is_as_wide_as_its_letter() -> None:
    (bar,) = [tag for tag in one(r"\bar\alpha").iter(f"{MATHML}mo") if tag.text == "\u00af"]
    assert bar.get("stretchy") is None


def test_a_page_holds_mathml_where_it_held_tex_and_is_left_alone_afterwards() -> None:
    page = (
        r'<p><span class="math notranslate nohighlight">\(a &lt; b\)</span> and <code>\(code\)</code></p>'
        '<div class="math notranslate nohighlight" id="equation-eq-x">\n'
        '<span class="eqno">(1.1)<a class="headerlink" href="#equation-eq-x">#</a></span>'
        "\\[\nx_t = 1 &amp; 2\n\\]</div>"
    ).replace("&amp; 2", "+ 2")
    (after,) = set_formulas({Path("page.html"): page}).values()
    root = ElementTree.fromstring(f"<body>{after}</body>")
    inline, display = root.iter(f"{MATHML}math")
    assert (inline.get("alttext"), inline.get("display")) == ("a < b", None)
    assert (display.get("alttext"), display.get("display")) == ("x_t = 1 + 2", "block")
    assert r"<code>\(code\)</code>" in after
    assert '<span class="eqno">(1.1)' in after
    assert not FORMULA.search(after)
    assert list(set_formulas({Path("page.html"): after}).values()) == [after]
