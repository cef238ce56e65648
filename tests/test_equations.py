"""The table of equations: complete for this book, and a gap of any kind is found."""

import json
from pathlib import Path

import pytest

from tools import equations, equations_page

CHAPTER = ["# A chapter\n", "\n", "$$\n", "a = b\n", "$$ (eq-one)\n"]
FUNCTION = '''"""A module."""


class A:
    """A class."""

    def one(self):
        """One.

        Book: eq-one (Ho et al. 2020,
        eq. 4).
        """
'''
TEST = """import pytest


@pytest.mark.equation("eq-one")
def test_one():
    pass
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one chapter, one function and one test."""
    for folder in ("book", "ddpm_lib", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "_toc.yml").write_text(
        "root: book/one\nparts:\n  - chapters:\n      - file: book/equations\n"
    )
    chapter(tmp_path, CHAPTER)
    (tmp_path / "ddpm_lib" / "a.py").write_text(FUNCTION)
    (tmp_path / "tests" / "test_a.py").write_text(TEST)
    return tmp_path


def chapter(root: Path, lines: list[str]) -> None:
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": lines}]
    (root / "book" / "one.ipynb").write_text(json.dumps({"cells": cells}))


def test_every_equation_of_the_book_has_a_function_and_a_test() -> None:
    found, problems = equations.collect()
    assert not problems, "\n".join(problems)
    assert len(found) > 15


def test_the_page_of_the_book_begins_with_both_algorithms(course: Path) -> None:
    found, _ = equations.collect()
    page = equations_page.page(found)
    assert (
        page.index("**Algorithm 1, training**")
        < page.index("**Algorithm 2, sampling**")
        < page.index("::::{")
    )
    assert (
        "Both algorithms" not in equations_page.write(course).read_text()
    )  # which has none of their equations


def test_the_page_names_all_of_it(course: Path) -> None:
    page = equations_page.write(course).read_text()
    assert "1 equations, 1 functions, 1 tests" in page
    _, entry = page.split("::::{container} equation")
    for part in ("{eq}`eq-one`", "`A.one` in `a.py`", "`test_one` in `test_a.py`", "Ho et al. 2020, eq. 4"):
        assert part in entry
    assert "$$\na = b\n$$\n" in entry
    assert "## [A chapter](one.ipynb)" in page


def test_a_chapter_that_a_copy_leaves_out_takes_its_equations_with_it(course: Path) -> None:
    cells = [
        {"cell_type": "markdown", "id": "b", "metadata": {}, "source": ["$$\n", "c = d\n", "$$ (eq-two)\n"]}
    ]
    (course / "book" / "two.ipynb").write_text(json.dumps({"cells": cells}))  # not in _toc.yml
    path = course / "ddpm_lib" / "a.py"
    path.write_text(path.read_text().replace("Book: eq-one", "Book: eq-two; eq-one"))
    found, problems = equations.collect(course)
    assert ([each.label for each in found], problems) == (["eq-one"], [])


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("ddpm_lib/a.py", "Book: eq-one", "Also: eq-one", "eq-one (book/one) has no function"),
        ("ddpm_lib/a.py", "Book: eq-one", "Book: eq-two; eq-one", "names eq-two, which no chapter labels"),
        ("tests/test_a.py", "mark.equation", "mark.slow", "eq-one (book/one) has no test"),
        ("tests/test_a.py", '"eq-one"', '"eq-one", "eq-two"', "marked with eq-two, which no chapter labels"),
    ],
)
def test_a_gap_ends_the_build(course: Path, file: str, old: str, new: str, words: str) -> None:
    path = course / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(equations.Incomplete) as error:
        equations_page.write(course)
    assert words in str(error.value)
    assert not (course / "book" / "equations.md").exists()


def test_a_formula_without_a_label_is_not_mistaken_for_the_next_one(course: Path) -> None:
    chapter(course, ["# A chapter\n", "\n", "$$\n", "c = d\n", "$$\n", "\n", *CHAPTER[2:]])
    ((label, _, formula),) = equations.labels(course)
    assert (label, formula) == ("eq-one", "a = b")


def test_a_label_given_twice_is_found(course: Path) -> None:
    chapter(course, [*CHAPTER, "\n", *CHAPTER[2:]])
    with pytest.raises(equations.Incomplete, match="labelled twice"):
        equations_page.write(course)
