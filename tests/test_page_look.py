"""How the built pages look to a reader: the size of letters, no raw TeX, nothing cut off, and a decent print."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.test_page_text import BROKEN
from tools.serve import HTML, ROOT

pytestmark = pytest.mark.pages

CHAPTERS = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of the book at a desk's width."""
    path = HTML / f"{request.param}.html"
    assert path.is_file(), f"{path} is not built; run `make html` first."
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    yield page
    page.close()


# Text and descriptions that still hold TeX, or a link or bold words in Markdown; code and scripts may hold them.
RAW = r"""() => {
  const raw = /\$[^$\n]+\$|\\\(|\\\[|\\begin\{|\\[a-z]{3}|\]\([\w#./]|\*\*\S/;  // TeX, a link, bold words
  const index = /(^|[^\w.])[A-Zpx]_(t|T|s|\d+|simple)\b/;
  const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest("pre, code, script, style, [data-raw]")) continue;
    if (raw.test(node.data) || index.test(node.data)) found.push(node.data.trim().slice(0, 80));
  }
  for (const element of document.querySelectorAll("*"))
    for (const name of ["alt", "title", "aria-label", "aria-valuetext", "content"]) {
      const words = element.getAttribute(name) ?? "";
      if (raw.test(words)) found.push(`${name}: ${words.slice(0, 80)}`);
    }
  if (raw.test(document.title)) found.push(document.title);
  return found;
}"""


def test_no_table_is_left_as_text(chapter: Page) -> None:
    """A rule such as | ---: | in the text: Markdown that nobody read, its hyphens perhaps a dash by now."""
    text = "() => [...document.querySelectorAll('article p')].map((p) => p.textContent)"
    assert [part[:80] for part in chapter.evaluate(text) if re.search(r"\| ?:?[-—]+:? ?\|", part)] == []


def test_no_formula_is_left_as_tex_and_no_link_as_markdown(chapter: Page) -> None:
    assert chapter.evaluate(RAW) == []


# Tables that are wider than the box that holds them, and so are cut or scroll.
CUT_TABLES = """() => [...document.querySelectorAll("article table")]
  .filter((t) => t.offsetParent && t.scrollWidth > t.parentElement.clientWidth + 1)
  .map((t) => t.textContent.trim().slice(0, 60))"""


def test_no_table_is_cut_on_a_desk(chapter: Page) -> None:
    assert chapter.evaluate(CUT_TABLES) == []


# The pictures that cells drew, and what stands beneath each: its number in the chapter, and words.
FIGURES = """() => [...document.querySelectorAll("article div.cell_output > :is(img, a:has(> img), figure)")]
  .map((e) => e.querySelector("figcaption")?.textContent ?? "no caption")"""


def test_every_picture_of_a_cell_has_its_number_and_a_caption(chapter: Page) -> None:
    found = chapter.evaluate(FIGURES)
    parts = [re.fullmatch(r"Figure (?:(\d+)\.)?(\d+): (.{5,}\.)#?", caption.strip()) for caption in found]
    assert all(parts), found
    numbers = [int(part[2]) for part in parts if part]
    assert numbers == list(range(1, 1 + len(numbers)))
    assert len({part[1] for part in parts if part}) <= 1


# On paper nothing can be scrolled: whatever is wider than its box would be cut.
CUT_CODE = """() => [...document.querySelectorAll("article pre")]
  .filter((p) => p.offsetParent && p.scrollWidth > p.clientWidth + 1)
  .map((p) => p.textContent.trim().slice(0, 60))"""
LEFT_OVER = """() => [".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".copybtn"]
  .filter((s) => [...document.querySelectorAll(s)].some((e) => e.offsetParent))"""


def test_on_paper_code_is_whole_and_what_belongs_to_the_screen_is_gone(chapter: Page) -> None:
    chapter.set_viewport_size({"width": 680, "height": 960})  # A4 less its margins
    chapter.emulate_media(media="print")
    cut, left = chapter.evaluate(CUT_CODE), chapter.evaluate(LEFT_OVER)
    chapter.emulate_media(media="screen")
    chapter.set_viewport_size({"width": 1280, "height": 900})
    assert (cut, left) == ([], [])


CUT_ANYWHERE = f"""() => {{
  const folds = [...document.querySelectorAll("details:not([open])")];
  for (const fold of folds) fold.open = true;
  const cut = ({CUT_CODE})();
  for (const fold of folds) fold.open = false;
  return cut;
}}"""


def test_no_code_is_cut_on_a_desk(chapter: Page) -> None:
    """Neither what stands open nor what is folded."""
    assert chapter.evaluate(CUT_ANYWHERE) == []


# Formulas on lines of their own, and those that are wider than the line; each of these fades at its edge
# (test_accessibility.py).
DISPLAYED = """() => [...document.querySelectorAll("article div.math > div.display")].filter((e) => e.offsetParent)
  .map((e) => e.scrollWidth > e.clientWidth + 1)"""


def test_no_line_ends_within_what_belongs_together(chapter: Page) -> None:
    """On a desk, and on a phone."""
    broken = chapter.evaluate(BROKEN)
    chapter.set_viewport_size({"width": 390, "height": 844})
    broken += chapter.evaluate(BROKEN)
    chapter.set_viewport_size({"width": 1280, "height": 900})
    assert broken == []


def test_few_formulas_are_wider_than_a_phone(chapter: Page) -> None:
    chapter.set_viewport_size({"width": 390, "height": 844})
    wider = chapter.evaluate(DISPLAYED)
    chapter.set_viewport_size({"width": 1280, "height": 900})
    assert sum(wider) <= max(2, len(wider) // 15)


# Where the first picture or widget of a chapter begins.
TOP = """() => Math.min(...[...document.querySelectorAll("article figure, article .ddpm-host")]
  .map((e) => e.getBoundingClientRect()).filter((box) => box.width > 40 && box.height > 40)
  .map((box) => box.top + scrollY))"""
FIRST = 1000  # pixels: a desk's window of 900, and one turn of the wheel
TABLES = ("symbols",)  # a notebook that teaches nothing


def test_a_chapter_begins_with_a_picture(chapter: Page) -> None:
    name = chapter.url.rsplit("/", 1)[1].removesuffix(".html")
    if name not in TABLES and (ROOT / "book" / f"{name}.ipynb").is_file():
        assert chapter.evaluate(TOP) < FIRST


# Headings that are larger or bolder than the one of the section that theirs stands in.
LOUD = """() => [...document.querySelectorAll("article section section > :is(h2, h3, h4)")].filter((heading) => {
  const above = heading.closest("section").parentElement.closest("section").querySelector("h1, h2, h3");
  const [own, outer] = [heading, above].map((e) => getComputedStyle(e));
  if (parseFloat(own.fontSize) > 0.85 * parseFloat(outer.fontSize)) return true;
  return own.fontWeight > outer.fontWeight && above.tagName !== "H1";
}).map((heading) => heading.textContent)"""


def test_a_heading_is_smaller_than_the_one_above_it(chapter: Page) -> None:
    assert chapter.evaluate(LOUD) == []
