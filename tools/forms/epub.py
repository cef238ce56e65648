"""The whole book as an EPUB 3: a file a chapter, formulas as MathML, pictures inside, solutions at the end.

python -m tools.forms.epub     from _build/html to _build/epub
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from tools.forms.chapters import Chapter, read_chapters, relink
from tools.forms.epub_parts import CONTAINER, Item, document, navigation, package
from tools.forms.imprint import imprint
from tools.forms.paper import FONT, HERE, SOLUTIONS, Imprint, font_css, pygments_css
from tools.forms.pictures import Pictures
from tools.serve import HTML, ROOT

OUT = ROOT / "_build" / "epub"


def link_apart(chapter: Chapter, stems: set[str]) -> None:
    """Links between files: a page's are its own, and the solutions of all pages share one."""

    def place(page: str | None, anchor: str) -> str | None:
        stem = page or chapter.stem
        if stem not in stems:
            return None
        if page is None and anchor.startswith("solution-"):
            return f"solutions.xhtml#{chapter.stem}--{anchor}"
        return f"{stem}.xhtml" + (f"#{anchor}" if anchor else "")

    for tag in (chapter.text, *chapter.solutions):
        relink(tag, place)
    for solution in chapter.solutions:
        for named in (solution, *solution.select("[id]")):
            named["id"] = f"{chapter.stem}--{named['id']}"


def write_epub(chapters: list[Chapter], said: Imprint, html: Path, target: Path) -> None:
    """Write the book; the chapters are used up."""
    pictures = Pictures(html)
    bodies: dict[str, str] = {}
    solved = ""
    for chapter in chapters:
        link_apart(chapter, {each.stem for each in chapters})
        for tag in (chapter.text, *chapter.solutions):
            pictures.take(tag)
        bodies[chapter.stem] = chapter.text.decode(formatter="minimal")
        if chapter.solutions:
            own = "".join(each.decode(formatter="minimal") for each in chapter.solutions)
            solved += f"<section><h2>{chapter.title}</h2>{own}</section>"
    bodies["solutions"] = f"<h1>{SOLUTIONS}</h1>{solved}"
    titles = {chapter.stem: chapter.title for chapter in chapters} | {"solutions": SOLUTIONS}
    items = [Item(stem, f"{stem}.xhtml", titles[stem], "<math" in text) for stem, text in bodies.items()]
    style = font_css(FONT) + pygments_css(html) + (HERE / "text.css").read_text(encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "mimetype", "application/epub+zip", zipfile.ZIP_STORED
        )  # first and plain, by the standard
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book/package.opf", package(said, items, list(pictures.files)))
        book.writestr("book/nav.xhtml", navigation(said.title, chapters, titles))
        book.writestr("book/style.css", style)
        book.writestr(f"book/{FONT}", (html / "_static" / FONT).read_bytes())
        for item in items:
            book.writestr(f"book/{item.file}", document(item.title, bodies[item.name]))
        for name, picture in pictures.files.items():
            book.writestr(f"book/{name}", picture, zipfile.ZIP_STORED)


def main() -> None:
    said, target = imprint(ROOT), OUT / "book.epub"
    write_epub(read_chapters(HTML, ROOT / "_toc.yml", said.site), said, HTML, target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
