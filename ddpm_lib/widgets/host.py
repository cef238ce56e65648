"""The host beneath every widget: one JavaScript module, two places where it runs.

In a live notebook a `Widget` is an anywidget: Python and the page share its traits. In the published book,
in Colab and in a saved notebook there may be no kernel, so the same display also carries a self-contained
`text/html`: the module, its state, a model of a few lines in place of the kernel, and a picture for
viewers that strip scripts. It asks the network for nothing, has no element ids and leaves nothing global.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets  # type: ignore[import-untyped]

HERE = Path(__file__).parent
EXPORT = "export default { render };"


@dataclass(frozen=True)
class Fallback:
    """What a viewer that runs no scripts shows in place of the widget."""

    png: bytes
    alt: str  # what the picture shows, for a reader who does not see it
    caption: str  # the line beneath it
    width: int  # CSS pixels


def read(*names: str) -> str:
    """The text of these files of the package, one after another: the shared part first, then the widget's."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


class Widget(anywidget.AnyWidget):
    """A widget that works with and without a kernel.

    A subclass sets `_esm` (a module that ends in `export default { render };` and imports nothing) and
    `_css`, keeps its state in traits tagged `sync=True` whose values are JSON, and draws a `fallback`.
    """

    _ipython_display_ = None  # ipywidgets 7, which Colab has, would display through it and skip the bundle

    def fallback(self) -> Fallback:
        """The picture for viewers that run no scripts."""
        raise NotImplementedError(f"{type(self).__name__} draws no fallback: define `fallback(self)`.")

    def state(self) -> dict[str, Any]:
        """What the page needs to know: every synchronised trait that the subclass added."""
        inherited = set(ipywidgets.DOMWidget.class_trait_names())
        names = [name for name in self.trait_names(sync=True) if name[0] != "_" and name not in inherited]
        return {name: getattr(self, name) for name in sorted(names)}

    def to_html(self) -> str:
        """A self-contained piece of HTML that runs this widget from its present state."""
        module = str(self._esm).strip()
        if not module.endswith(EXPORT):
            raise ValueError(f"The module of {type(self).__name__} must end in `{EXPORT}`: add that line.")
        # Pages hold several widgets: a script starts those that carry the hash of its own module.
        key = f"{type(self).__name__}-{hashlib.sha256(module.encode()).hexdigest()[:12]}"
        body = module.removesuffix(EXPORT) + read("mount.js")
        script = f"(() => {{\nconst key = {json.dumps(key)};\n{body}}})();"
        state = json.dumps(self.state(), separators=(",", ":"))
        picture = self.fallback()
        source = "data:image/png;base64," + base64.b64encode(picture.png).decode("ascii")
        return (
            f'<div class="ddpm-host" data-ddpm-widget="{key}" data-ddpm-state="{html.escape(state)}">\n'
            f"<style>{_inside('style', _lean_css(str(self._css)))}</style>\n"
            f'<div class="ddpm-fallback"><img src="{source}" width="{picture.width}" '
            f'alt="{html.escape(picture.alt)}"><br><small>{html.escape(picture.caption)}</small></div>\n'
            f"<script>{_inside('script', _lean(script))}</script>\n</div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live view and the HTML; in Colab, whose widget manager comes from a CDN, the HTML alone."""
        page = {"text/html": self.to_html(), "text/plain": repr(self)}
        if "google.colab" in sys.modules:
            return page, {}
        live = super()._repr_mimebundle_(**kwargs)
        if live is None:  # a closed widget
            return page, {}
        data, metadata = live
        return {**data, **page}, metadata


def _lean(text: str) -> str:
    """`text` without indentation, empty lines and lines of comment, for a page may hold many widgets.

    So no string of a module may run over a line's end.
    """
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _lean_css(text: str) -> str:
    """`text` without comments and the blanks that mean nothing."""
    return re.sub(r"\s*([{};,])\s*|(?<=:)\s+", r"\1", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


def _inside(tag: str, text: str) -> str:
    """`text` made safe between <tag> and </tag>: nothing in it ends the element early."""
    return text.replace(f"</{tag}", f"<\\/{tag}").replace("<!--", "<\\!--")
