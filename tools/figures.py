"""Number the pictures that a chapter's cells draw, and write a caption beneath each, so that no author counts.

The caption is the cell's metadata `caption`, in which `$...$` is mathematics; where there is none, the name of the
cell's folded code; else the first sentence of the picture's alternative text. A cell that draws several pictures has
the metadata `pictures`: a `caption` and an `alt` for each of them, in order.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

FOLD = "Code: "  # how a fold of code that draws is named
SENTENCE = re.compile(r"(?<=[a-z0-9)])\. (?=[A-Z])")


def caption_of(metadata: dict[str, Any], alt: str) -> str:
    """The words beneath a cell's picture: a sentence with its full stop."""
    name = str(metadata.get("mystnb", {}).get("code_prompt_show", ""))
    if "caption" in metadata:
        text = str(metadata["caption"])
    elif name.startswith(FOLD):
        text = name.removeprefix(FOLD)
    else:
        text = SENTENCE.split(alt)[0]
    return text[:1].upper() + text[1:].rstrip(".") + "."


def with_mathematics(text: str) -> list[nodes.Node]:
    """Words and, between dollar signs, formulas."""
    parts = enumerate(text.split("$"))
    return [nodes.math(part, part) if i % 2 else nodes.Text(part) for i, part in parts if part]


def captions(app: Sphinx, document: nodes.document) -> None:
    """Put every picture of every cell into a figure with a caption; Sphinx gives it its number."""
    count = 0
    for cell in document.findall(nodes.container):
        if cell.get("nb_element") != "cell_code":
            continue
        metadata, said = cell["cell_metadata"], set()
        of_each = metadata.get("pictures", [])
        place = f"cell {cell['cell_index']} of {app.env.docname}"
        for i, picture in enumerate(list(cell.findall(nodes.image))):
            own = of_each[i] if i < len(of_each) else {}
            picture["alt"] = own.get("alt", picture.get("alt", ""))
            words = caption_of({**metadata, **own}, picture["alt"])
            if words == ".":
                raise ExtensionError(f"{place} draws a picture without words: give it an alt text.")
            if words in said:
                raise ExtensionError(
                    f"{place} draws several pictures with one caption: give each its own, in the metadata `pictures`."
                )
            said.add(words)
            count += 1
            figure = nodes.figure("", ids=[f"figure-{count}"])
            picture.replace_self(figure)
            figure += [picture, nodes.caption("", "", *with_mathematics(words))]


def from_one(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Let a page whose chapter has no number begin with Figure 1; Sphinx counts on through all such pages."""
    for kinds in env.toc_fignumbers.values():
        figures = kinds.get("figure", {})
        for i, name in enumerate(sorted(figures, key=figures.__getitem__), start=1):
            if len(figures[name]) == 1:
                figures[name] = (i,)
    return []


def figures_by_name(app: Sphinx, config: Config) -> None:
    """Say "Figure 4.2:" where Sphinx says "Fig. 4.2"."""
    config.numfig_format = {"figure": "Figure %s:", **config.numfig_format}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", figures_by_name, priority=400)  # before Sphinx fills in its own words
    app.connect("doctree-read", captions, priority=100)
    app.connect("env-get-updated", from_one, priority=900)  # after Sphinx has counted
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
