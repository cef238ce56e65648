"""Figures are numbered and captioned by one rule, from what a cell says of its picture."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.utils import new_document
from sphinx.errors import ExtensionError

from tools.figures import caption_of, captions, from_one, with_mathematics


class App:
    """As much of Sphinx as the rule looks at."""

    class env:
        docname = "book/x"


def chapter(*cells: tuple[dict[str, object], str]) -> nodes.document:
    """A document with one cell and one picture for each (metadata, alternative text)."""
    document = new_document("x", get_default_settings())
    for i, (metadata, alt) in enumerate(cells):
        cell = nodes.container(nb_element="cell_code", cell_index=i, cell_metadata=metadata)
        output = nodes.container(nb_element="cell_code_output")
        output += nodes.image(uri="a.png", alt=alt)
        cell += output
        document += cell
    return document


FOLD = {"mystnb": {"code_prompt_show": "Code: two clouds"}}


@pytest.mark.parametrize(
    ("metadata", "alt", "caption"),
    [
        ({}, "Two rows of digits. The upper ones are blurred.", "Two rows of digits."),
        ({}, "Loss at t = 0.5 and 1.5.", "Loss at t = 0.5 and 1.5."),
        (FOLD, "A picture", "Two clouds."),
        ({"mystnb": {"code_prompt_show": "Show the code of the figure"}}, "A 0. It fades.", "A 0."),
        ({**FOLD, "caption": "The data and $x_t$."}, "A picture", "The data and $x_t$."),
    ],
)
def test_a_caption_is_the_cells_own_or_its_folds_or_the_alt_texts(
    metadata: dict[str, object], alt: str, caption: str
) -> None:
    assert caption_of(metadata, alt) == caption


def test_every_picture_of_a_cell_becomes_a_figure_in_order() -> None:
    document = chapter((FOLD, "A picture"), ({"caption": "Where $t$ falls"}, "Another"))
    document += nodes.image(uri="logo.svg", alt="no cell drew this")
    captions(App(), document)  # type: ignore[arg-type]
    found = list(document.findall(nodes.figure))
    assert [figure["ids"] for figure in found] == [["figure-1"], ["figure-2"]]
    assert [figure[-1].astext() for figure in found] == ["Two clouds.", "Where t falls."]
    assert all(isinstance(figure[0], nodes.image) for figure in found)


def test_every_page_begins_with_its_first_figure() -> None:
    counted = {
        "intro": {"figure": {"figure-1": (1,), "figure-2": (2,)}},
        "notation": {"figure": {"figure-2": (4,), "figure-1": (3,)}, "table": {"t": (1,)}},
        "forward": {"figure": {"figure-1": (1, 1)}},
        "teaching": {},
    }
    assert from_one(None, SimpleNamespace(toc_fignumbers=counted)) == []  # type: ignore[arg-type]
    assert counted["intro"]["figure"] == {"figure-1": (1,), "figure-2": (2,)}
    assert counted["notation"]["figure"] == {"figure-1": (1,), "figure-2": (2,)}
    assert counted["forward"]["figure"] == {"figure-1": (1, 1)}


def several(metadata: dict[str, object]) -> nodes.document:
    """A document with one cell that draws two pictures."""
    document = chapter((metadata, "Both"))
    next(document.findall(nodes.image)).parent += nodes.image(uri="b.png", alt="Both")
    return document


def test_each_of_several_pictures_has_words_of_its_own() -> None:
    of_each = [{"caption": "The loss", "alt": "It falls"}, {"alt": "Ten digits. They are sharp."}]
    document = several({"pictures": of_each})
    captions(App(), document)  # type: ignore[arg-type]
    found = list(document.findall(nodes.figure))
    assert [figure[-1].astext() for figure in found] == ["The loss.", "Ten digits."]
    assert [figure[0]["alt"] for figure in found] == ["It falls", "Ten digits. They are sharp."]


def test_one_caption_for_several_pictures_ends_the_build() -> None:
    with pytest.raises(ExtensionError, match="cell 0 of book/x draws several pictures with one caption"):
        captions(App(), several({}))  # type: ignore[arg-type]


def test_mathematics_stands_between_dollars() -> None:
    kinds = [(type(node), node.astext()) for node in with_mathematics("from $x_0$ to $x_T$.")]
    assert kinds == [
        (nodes.Text, "from "),
        (nodes.math, "x_0"),
        (nodes.Text, " to "),
        (nodes.math, "x_T"),
        (nodes.Text, "."),
    ]


def test_a_picture_without_any_words_ends_the_build() -> None:
    with pytest.raises(ExtensionError, match="cell 0 of book/x draws a picture without words"):
        captions(App(), chapter(({}, "")))  # type: ignore[arg-type]


def test_no_caption_holds_markdown_that_a_page_would_show_as_it_stands() -> None:
    found = [
        (path.stem, caption)
        for path in Path(__file__).parent.parent.glob("book/*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for caption in [cell["metadata"].get("caption", "")]
    ]
    assert sum(bool(caption) for _, caption in found) > 50
    assert [pair for pair in found if re.search(r"`|\*\*|\]\(", pair[1])] == []
