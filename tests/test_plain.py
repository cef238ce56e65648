"""The notebooks in plain Markdown: nothing of MyST is left, and what stands in its place is right."""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from pybtex.database import parse_file

from tools.address import Address
from tools.colab import stamp_all
from tools.equations import ROOT, labels, numbers
from tools.last_run import FOLDER, of_the_book
from tools.notebook import Notebook, read, source
from tools.plain.citations import papers
from tools.plain.copies import copies, write_all
from tools.plain.markdown import Translator, Untranslatable
from tools.plain.places import Course, page_id

SITE = "https://someone.github.io/course"
COPIES = {"lab": copies(Course(ROOT)), "colab": copies(Course(ROOT, SITE))}
HTML = ROOT / "_build" / "html"
# A role; a directive; a label of a formula or of a heading; an option of a directive; a substitution; a comment
MYST = re.compile(
    r"\{[\w:+-]+\}`|(?:`{3,}|:{3,}|~{3,}) *\{|:{3,}|\$\$[ \t]*\([\w-]+\)|^\([\w-]+\)=|^:[\w-]+:|\{\{.*?\}\}(?=\s|$)|^%",
    re.MULTILINE,
)
CODE = re.compile(r"^(`{3,}).*?^\1|`[^`\n]+`|\$\$.+?\$\$|\$[^$]+\$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def text(notebook: Notebook) -> str:
    return "\n\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("kind", COPIES)
def test_no_copy_shows_myst(kind: str) -> None:
    assert MYST.search(text(read(ROOT / "book" / "forward.ipynb")))
    for path, copy in COPIES[kind].items():
        raw = [found[0] for found in MYST.finditer(text(copy))]
        assert not raw, f"{path}: {raw}"


@pytest.mark.parametrize("kind", COPIES)
def test_code_is_copied_to_the_byte_and_folded_as_in_the_book(kind: str) -> None:
    for path, copy in COPIES[kind].items():
        for cell, own in zip(copy["cells"], read(ROOT / path)["cells"], strict=True):
            assert cell["id"] == own["id"]
            if cell["cell_type"] != "markdown":
                assert cell["source"] == own["source"]
                folded = bool(
                    {"hide-cell", "hide-input", "remove-cell"} & set(own["metadata"].get("tags", []))
                )
                assert ("jupyter" in cell["metadata"]) == ("cellView" in cell["metadata"]) == folded


@pytest.mark.parametrize("kind", COPIES)
def test_every_equation_has_its_number_where_it_stands_and_where_it_is_named(kind: str) -> None:
    number, seen = numbers(), 0
    for path, copy in COPIES[kind].items():
        own = text(read(ROOT / path))
        stands = re.findall(r"\$\$[ \t]*\((eq-[\w-]+)\)", own)
        assert re.findall(r"\\tag\{([\d.]+)\}\s*\$\$", text(copy)) == [number[label] for label in stands], (
            path
        )
        named = re.findall(r"\{eq\}`([\w-]+)`", own)
        shown = re.findall(r"\((\d+(?:\.\d+)?)\)", CODE.sub("", text(copy)))
        already = re.findall(r"\((\d+(?:\.\d+)?)\)", CODE.sub("", re.sub(r"\{eq\}`[^`]*`", "", own)))
        assert sorted(shown) == sorted([*already, *(number[label] for label in named)]), path
        seen += len(named)
    assert seen > 200


def test_numbers_are_counted_within_a_chapter_that_has_one_and_through_all_that_have_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "book").mkdir()
    parts = [("a", ""), ("b", "    numbered: 2\n"), ("d", "    numbered: true\n"), ("e", "")]
    toc = "root: book/r\nparts:\n"
    for name, numbered in parts:
        files = f"      - file: book/{name}\n" + ("      - file: book/c\n" if name == "b" else "")
        toc += f"  - caption: C\n{numbered}    chapters:\n{files}"
    (tmp_path / "_toc.yml").write_text(toc)
    for name in "rabcde":
        cell = {"cell_type": "markdown", "source": f"$$x$$ (eq-{name}-one)\n\n$$y$$\n\n$$z$$ (eq-{name}-two)"}
        (tmp_path / "book" / f"{name}.ipynb").write_text(json.dumps({"cells": [cell]}))
    expected = {"r": "1 2", "a": "3 4", "b": "1.1 1.2", "c": "2.1 2.2", "d": "3.1 3.2", "e": "5 6"}
    shown = numbers(tmp_path)
    assert {n: f"{shown[f'eq-{n}-one']} {shown[f'eq-{n}-two']}" for n in expected} == expected


def test_links_between_copies_for_lab_lead_somewhere() -> None:
    """To a copy beside this one, and to a heading by the name that JupyterLab gives it."""
    by_name = {path.name: copy for path, copy in COPIES["lab"].items()}
    seen = 0
    for path, copy in COPIES["lab"].items():
        for target in LINK.findall(CODE.sub("", text(copy))):
            if not target.startswith(("https://", "data:")):
                file, _, anchor = target.partition("#")
                titles = re.findall(r"^#+ (.+)$", text(by_name[file or path.name]), re.MULTILINE)
                assert not anchor or anchor in [title.replace(" ", "-") for title in titles], target
                seen += 1
    assert seen > 80


def test_a_citation_is_named_as_its_authors_are() -> None:
    """Against pybtex, which the book itself uses."""
    bibliography = ROOT / "book" / "references.bib"
    ours = papers(bibliography)
    entries = parse_file(str(bibliography)).entries
    assert set(ours) == set(entries)
    for key, entry in entries.items():
        people = [person.rich_prelast_names + person.rich_last_names for person in entry.persons["author"]]
        names = [" ".join(str(part) for part in person) for person in people]
        shown = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
        assert ours[key].name == f"{shown} {entry.fields['year']}"
        assert ours[key].url is None or any(str(v) in ours[key].url for v in entry.fields.values())


RULES = [
    ("as in {eq}`eq-variance`:", "as in [(1.3)](SITE/book/forward.html#equation-eq-variance):"),
    ("$$\na = b\n$$ (eq-variance)", "$$\na = b \\tag{1.3}\n$$"),
    ("$$\na\n$$\n\n$$b$$ (eq-variance)", "$$\na\n$$\n\n$$b \\tag{1.3}$$"),
    ("here {cite:p}`ho2020`.", "here [[Ho et al. 2020](https://arxiv.org/abs/2006.11239)]."),
    ("{cite:t}`li2020`, 1", "[Li et al. 2020](SITE/book/references.html), 1"),
    ("[a $b]$](loss.ipynb#where-the-bits-go)", "[a $b]$](SITE/book/loss.html#where-the-bits-go)"),
    ("[all](equations.md)", "[all](SITE/book/equations.html)"),
    ("[`x`](https://a.org)", "[`x`](https://a.org)"),
    ("`{eq}` and ``{cite:p}`key` ``", "`{eq}` and ``{cite:p}`key` ``"),
    ("```python\n{eq}`eq-x`\n# $$a$$ (eq-b)\n```", "```python\n{eq}`eq-x`\n# $$a$$ (eq-b)\n```"),
    (
        ":::{note}\nSee {eq}`eq-variance`.\n:::",
        "> **Note**\n>\n> See [(1.3)](SITE/book/forward.html#equation-eq-variance).",
    ),
    (
        "Before\n:::{admonition} Predict $x$\n:class: tip\n\n$$\na\n= b\n$$\n\n- one\n:::\nAfter",
        "Before\n> **Predict $x$**\n>\n> $$ a = b $$\n>\n> - one\nAfter",
    ),
    (
        "````{dropdown} Show\n:::{tip}\nIn.\n:::\n````",
        "<details><summary>Show</summary>\n\n> **Tip**\n>\n> In.\n\n</details>",
    ),
    ("```{hint} A\n:class: dropdown\nB\n```", "<details><summary>A</summary>\n\nB\n\n</details>"),
]


@pytest.mark.parametrize(("myst", "markdown"), RULES)
def test_what_myst_becomes(myst: str, markdown: str) -> None:
    assert Translator(Course(ROOT, SITE), "book/forward").text(myst) == markdown.replace("SITE", SITE)


def test_without_a_published_page_a_link_stays_within_the_notebooks_or_goes() -> None:
    here = Translator(Course(ROOT), "book/forward").text
    assert here("{eq}`eq-variance`, {eq}`eq-clip`") == "(1.3), [(2.10)](posterior.ipynb)"
    assert here("[all](equations.md), {cite:t}`li2020`") == "all, Li et al. 2020"
    assert here("[x](#what-is-destroyed-when)") == "[x](#What-is-destroyed-when)"
    assert here("[x](loss.ipynb#where-the-bits-go)") == "[x](loss.ipynb#Where-the-bits-go)"


@pytest.mark.parametrize(
    "myst",
    [
        "{numref}`x`",
        "```{figure} x.png\n```",
        "(name)=\n## A",
        "::: note\na\n:::",
        "{eq}`eq-nowhere`",
        "{cite:p}`nobody1999`",
        "[x](nowhere.ipynb)",
        "[x](loss.ipynb#nowhere)",
    ],
)
def test_what_has_no_rule_is_refused(myst: str) -> None:
    with pytest.raises(Untranslatable, match=r"^book/loss\.ipynb: .* has no plain form: "):
        Translator(Course(ROOT, SITE), "book/loss").text(myst)


def test_a_picture_travels_within_its_copy(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "a.png").write_bytes(b"abc")
    shown = Translator(Course(tmp_path), "book/one").text("![A letter](a.png)")
    assert shown == "![A letter](data:image/png;base64,YWJj)"


def test_the_folder_of_copies_holds_them_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.ipynb").write_text("")
    written = write_all(Course(ROOT), tmp_path / "out")
    assert {path.name for path in written} == {path.name for path in (tmp_path / "out").iterdir()}
    assert json.loads(written[0].read_text(encoding="utf-8")) in COPIES["lab"].values()


def test_what_colab_opens_is_the_plain_copy_and_says_when_the_chapter_ran(tmp_path: Path) -> None:
    for path in stamp_all(Address("https://github.com/someone/course", "main"), out=tmp_path):
        copy, opened = COPIES["colab"][path.relative_to(tmp_path)], read(path)
        line = of_the_book(ROOT / FOLDER / path.relative_to(tmp_path))
        assert text(opened) == "\n\n".join([text(copy), line] if line else [text(copy)])


def test_the_line_of_a_copy_is_that_of_a_run_that_was_whole(tmp_path: Path) -> None:
    machine = {"day": "2030-01-02", "processor": "A <chip>", "cores": 2, "versions": "Python 3.12.1"}
    record = {"failure": None, "seconds": 12.3, "machine": machine}
    path = tmp_path / "a.ipynb"
    assert of_the_book(path) is None
    path.write_text(json.dumps({"metadata": {"executed": record}}))
    said = "Last run, for the book: 2030-01-02, 12 seconds on 2 cores of A &lt;chip&gt;; Python 3.12.1."
    assert of_the_book(path) == said
    path.write_text(json.dumps({"metadata": {"executed": {**record, "failure": {"cell": "b"}}}}))
    assert of_the_book(path) is None


def test_the_workflow_needs_nothing_installed_to_make_them() -> None:
    subprocess.run(
        [sys.executable, "-S", "-c", "import tools.colab, tools.plain.copies"], cwd=ROOT, check=True
    )


@pytest.mark.pages
def test_numbers_and_links_are_those_of_the_built_book() -> None:
    pages = {file.stem: file.read_text(encoding="utf-8") for file in (HTML / "book").glob("*.html")}
    number = numbers()
    for label, chapter, _ in labels():
        shown = re.search(
            rf'class="eqno">\(([\d.]+)\)<a class="headerlink" href="#equation-{label}"',
            pages[Path(chapter).name],
        )
        assert shown is not None, label
        assert shown[1] == number[label], label
    read_at = set(re.findall(r'href="(https://[^"]+)"', unescape(pages["references"])))
    for path, copy in COPIES["colab"].items():
        for target in LINK.findall(text(copy)):
            page, _, anchor = target.removeprefix(f"{SITE}/book/").partition("#")
            if target.startswith(SITE):
                assert not anchor or f'id="{anchor}"' in pages[page.removesuffix(".html")], (
                    f"{path}: {target}"
                )
            else:
                assert target in read_at or target in text(read(ROOT / path)), f"{path}: {target}"


@pytest.mark.pages
def test_every_heading_is_called_as_in_the_built_book() -> None:
    """With apostrophes and accents: a copy's link to the published page must land."""
    for chapter, headings in Course(ROOT).headings.items():
        page = (HTML / f"{chapter}.html").read_text(encoding="utf-8")
        linked = {heading for heading in headings if re.fullmatch(r"[\w ,:'?-]+", heading)}
        absent = {heading for heading in linked if f'id="{page_id(heading)}"' not in page}
        assert not absent, chapter


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("The network's step", "the-networks-step"),
        ("The network\u2019s step", "the-networks-step"),
        ("The Fr\u00e9chet distance", "the-frechet-distance"),
    ],
)
def test_a_heading_is_called_as_the_page_calls_it(heading: str, anchor: str) -> None:
    assert page_id(heading) == anchor
