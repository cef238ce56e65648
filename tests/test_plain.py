"""The notebooks in plain Markdown: nothing of MyST is left, and what stands in its place is right."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.copied import COPIES, LINK, text
from tools.address import Address
from tools.colab import stamp_all
from tools.equations import ROOT, numbers
from tools.last_run import FOLDER, of_the_book
from tools.notebook import read
from tools.plain.copies import write_all
from tools.plain.markdown import Translator
from tools.plain.places import Course

# A role; a directive; a label of a formula or of a heading; an option of a directive; a substitution; a comment
MYST = re.compile(
    r"\{[\w:+-]+\}`|(?:`{3,}|:{3,}|~{3,}) *\{|:{3,}|\$\$[ \t]*\([\w-]+\)|^\([\w-]+\)=|^:[\w-]+:|\{\{.*?\}\}(?=\s|$)|^%",
    re.MULTILINE,
)
CODE = re.compile(r"^(`{3,}).*?^\1|`[^`\n]+`|\$\$.+?\$\$|\$[^$]+\$", re.MULTILINE | re.DOTALL)


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
