"""The whole book as an EPUB 3: a file a chapter, formulas as MathML, pictures inside, solutions at the end.

python -m tools.forms.epub     from _build/html to _build/epub
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from bs4 import Tag

from tools.forms.chapters import Chapter, read_chapters, relink
from tools.forms.epub_parts import CONTAINER, Item, document, navigation, package
from tools.forms.imprint import imprint
from tools.forms.mathml import tex_of, to_mathml
from tools.forms.paper import HERE, SOLUTIONS, Imprint, pygments_css
from tools.forms.pictures import Pictures
from tools.serve import HTML, ROOT

OUT = ROOT / "_build" / "epub"
MARK = "\ue000{}\ue001"  # private characters: they stand in no text


@dataclass
class Formulas:
    """Every formula of the book, each replaced by a mark until all are read at once."""

    found: list[tuple[str, bool]] = field(default_factory=list)

    def take(self, tag: Tag) -> None:
        """Put a mark in place of each formula within the tag."""
        for formula in tag.select(".math"):
            tex = tex_of(formula)
            for child in list(formula.contents):
                if isinstance(child, str):
                    child.extract()
            formula.append(MARK.format(len(self.found)))
            self.found.append(tex)

    def put(self, texts: dict[str, str]) -> dict[str, str]:
        """Every text with MathML in place of its marks."""
        marks = {MARK.format(i): mathml for i, mathml in enumerate(to_mathml(self.found))}
        done = {}
        for name, text in texts.items():
            pieces = text.split("\ue000")
            for i, piece in enumerate(pieces[1:], start=1):
                number, _, rest = piece.partition("\ue001")
                pieces[i] = marks[MARK.format(number)] + rest
            done[name] = "".join(pieces)
        return done


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
    formulas, pictures = Formulas(), Pictures(html)
    bodies: dict[str, str] = {}
    solved = ""
    for chapter in chapters:
        link_apart(chapter, {each.stem for each in chapters})
        for tag in (chapter.text, *chapter.solutions):
            formulas.take(tag)
            pictures.take(tag)
        bodies[chapter.stem] = chapter.text.decode(formatter="minimal")
        if chapter.solutions:
            own = "".join(each.decode(formatter="minimal") for each in chapter.solutions)
            solved += f"<section><h2>{chapter.title}</h2>{own}</section>"
    bodies["solutions"] = f"<h1>{SOLUTIONS}</h1>{solved}"
    titles = {chapter.stem: chapter.title for chapter in chapters} | {"solutions": SOLUTIONS}
    done = formulas.put(bodies)
    items = [Item(stem, f"{stem}.xhtml", titles[stem], "<math" in text) for stem, text in done.items()]
    style = pygments_css(html) + (HERE / "text.css").read_text(encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "mimetype", "application/epub+zip", zipfile.ZIP_STORED
        )  # first and plain, by the standard
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book/package.opf", package(said, items, list(pictures.files)))
        book.writestr("book/nav.xhtml", navigation(said.title, chapters, titles))
        book.writestr("book/style.css", style)
        for item in items:
            book.writestr(f"book/{item.file}", document(item.title, done[item.name]))
        for name, picture in pictures.files.items():
            book.writestr(f"book/{name}", picture, zipfile.ZIP_STORED)


def main() -> None:
    said, target = imprint(ROOT), OUT / "book.epub"
    write_epub(read_chapters(HTML, ROOT / "_toc.yml", said.site), said, HTML, target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
