"""A built book of two pages, as small as the forms made from it can be tested with."""

import base64
from pathlib import Path

from tools.page_math import set_formulas

ASSETS = Path(__file__).resolve().parent.parent / "book" / "assets"

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PAGE = """<!DOCTYPE html><html><body><nav>Sidebar</nav><article><section id="{name}">
<h1><span class="section-number">{number}. </span>{title}<a class="headerlink" href="#{name}">#</a></h1>
{text}</section></article></body></html>"""
FIRST = r"""<p>It leads to <a class="reference" href="second.html#equation-eq-second">(2.1)</a> and to
<a href="#part">a part</a>, to <a href="second.html">Second</a>, and <a href="https://example.org/">out</a>.</p>
<section id="part"><h2>Part with <span class="math notranslate nohighlight">\(x_t\)</span></h2>
<div class="cell tag_hide-input"><details class="admonition hide above-input"><summary>
<p class="collapsed admonition-title">Code: imports</p><p class="expanded admonition-title">Hide the code</p></summary>
<div class="cell_input"><pre><span class="kn">import</span> math</pre></div></details></div>
<div class="output text_html"><div class="ddpm-host" data-ddpm-state="{{}}"><style>p {{}}</style>
<div class="ddpm-fallback"><img alt="A digit" src="data:image/png;base64,{pixel}" width="40"/><br/>
<small>A digit at t = 3. With scripts on, it has a slider.</small></div><script>throw 1;</script></div></div>
<h3>1. Implement: a jump</h3>
<div class="cell tag_hide-cell"><details class="admonition hide above-input"><summary>
<p class="collapsed admonition-title">Show the solution</p><p class="expanded admonition-title">Hide it</p></summary>
<pre><span class="c1"># @title Solution</span>
SOLVED = 1</pre></details></div>
<details><summary>Hint</summary><p>Think.</p></details>
<details class="self-check"><summary>An answer</summary><p>Right. It is.</p></details></section>"""
SECOND = r"""<div class="math notranslate nohighlight" id="equation-eq-second"><span class="eqno">(2.1)<a
class="headerlink" href="#equation-eq-second">#</a></span>\[\begin{{split}}
\mathbf{{x}} &amp;= \mathcal{{N}}(0, 1)\\ &amp;= 2\end{{split}}\]</div>
<div class="math">\[{long}\]</div><p><img alt="A dot" src="../_images/dot.png"/></p>"""


def write_small_book(root: Path) -> None:
    """Write _toc.yml and the pages of the small book below `root`."""
    html = root / "html"
    for folder in ("book", "_static", "_images"):
        (html / folder).mkdir(parents=True)
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/first\nparts:\n"
        "  - caption: The course\n    chapters:\n      - file: book/second\n"
    )
    (html / "_static" / "pygments.css").write_text('html[data-theme="light"] .kn { color: red }\n')
    (html / "_static" / "stix-two-math.woff2").symlink_to(ASSETS / "stix-two-math.woff2")
    (html / "_images" / "dot.png").write_bytes(base64.b64decode(PIXEL))
    long = " + ".join(f"x_{{{i}}}" for i in range(60))
    pages = {}
    for number, name, text in ((1, "first", FIRST), (2, "second", SECOND)):
        filled = text.format(pixel=PIXEL, long=long)
        pages[html / "book" / f"{name}.html"] = PAGE.format(
            name=name, number=number, title=name.capitalize(), text=filled
        )
    for path, page in set_formulas(pages).items():
        path.write_text(page, encoding="utf-8")
