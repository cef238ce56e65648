"""How MyST becomes plain Markdown: citations, links, boxes, and what has no rule."""

import pytest
from pybtex.database import parse_file

from tests.copied import SITE
from tools.equations import ROOT
from tools.plain.citations import papers
from tools.plain.markdown import Translator, Untranslatable
from tools.plain.places import Course


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
