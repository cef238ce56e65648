"""The host beneath every widget: one JavaScript module, two places where it runs.

In a live notebook a `Widget` is an anywidget: Python and the page share its traits. In the published book, in Colab and
in a saved notebook there may be no kernel, so a display carries a self-contained `text/html` as well: the module, its
state, a model of a few lines in place of the kernel, and a picture for viewers that strip scripts. It needs no
internet, has no element ids and leaves nothing global.

A display is two outputs, the live view and the HTML, for a notebook shows only one of an output's forms: the live one,
even where its kernel is long gone. While the live view is there, it hides the HTML.
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
from uuid import uuid4

import anywidget
import ipywidgets  # type: ignore[import-untyped]
import traitlets
from IPython.display import publish_display_data

from ddpm_lib.web.worker_source import lean

WIDGETS = Path(__file__).parent.parent
EXPORT = "export default { render: live(render) };"
VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Fallback:
    """What a viewer that runs no scripts shows in place of the widget."""

    png: bytes
    alt: str  # what the picture shows, for a reader who does not see it
    caption: str  # the line beneath it
    width: int  # CSS pixels


def read(*files: str) -> str:
    """The text of these files of ddpm_lib/widgets, such as "scrub/scrub.js", one after another."""
    return "\n".join((WIDGETS / file).read_text(encoding="utf-8") for file in files)


def javascript(*files: str) -> str:
    """A widget's module: what all widgets share, then its own files, the last of which defines `render`."""
    return f"{read('host/elements.js', 'host/numbers.js', 'host/controls.js', *files)}\n{EXPORT}"


def css(*files: str) -> str:
    """A widget's styles: what all widgets share, then its own."""
    return read("host/look.css", "host/controls.css", *files)


class Widget(anywidget.AnyWidget):
    """A widget that works with and without a kernel.

    A subclass sets `_esm` to `javascript(...)` and `_css` to `css(...)`, keeps its state in traits tagged `sync=True`
    whose values are JSON, and draws a `fallback`.
    """

    _saved = traitlets.Unicode(help="names the HTML that the live view hides").tag(sync=True)

    @traitlets.default("_saved")
    def _name(self) -> str:
        return uuid4().hex

    def fallback(self) -> Fallback:
        """The picture for viewers that run no scripts."""
        raise NotImplementedError(f"{type(self).__name__} draws no fallback: define `fallback(self)`.")

    def state(self) -> dict[str, Any]:
        """What the page needs to know: every synchronized trait that the subclass added."""
        inherited = set(ipywidgets.DOMWidget.class_trait_names())
        names = [name for name in self.trait_names(sync=True) if name[0] != "_" and name not in inherited]
        return {name: getattr(self, name) for name in sorted(names)}

    def to_html(self, saved: str = "") -> str:
        """A self-contained piece of HTML that runs this widget from its present state.

        saved: the name by which a live view knows the HTML that it hides.
        """
        module = str(self._esm).strip()
        if not module.endswith(EXPORT):
            raise ValueError(f"The module of {type(self).__name__} must end in `{EXPORT}`: add that line.")
        # Pages hold several widgets: a script starts those that carry the hash of its own module.
        key = f"{type(self).__name__}-{hashlib.sha256(module.encode()).hexdigest()[:12]}"
        body = module.removesuffix(EXPORT) + read("host/mount.js")
        script = f"(() => {{\nconst key = {json.dumps(key)};\n{body}}})();"
        state = json.dumps(self.state(), separators=(",", ":"))
        picture = self.fallback()
        source = "data:image/png;base64," + base64.b64encode(picture.png).decode("ascii")
        beside = f' data-ddpm-saved="{saved}"' if saved else ""
        return (
            f'<div class="ddpm-host" data-ddpm-widget="{key}"{beside} data-ddpm-state="{html.escape(state)}">\n'
            f"<style>{_inside('style', _lean_css(str(self._css)))}</style>\n"
            f'<div class="ddpm-fallback"><img src="{source}" width="{picture.width}" '
            f'alt="{html.escape(picture.alt)}"><br><small>{html.escape(picture.caption)}</small></div>\n'
            f"<script>{_inside('script', lean(script))}</script>\n</div>"
        )

    def _ipython_display_(self) -> None:
        """The live view, then the HTML; in Colab, whose widget manager comes from a CDN, the HTML alone."""
        data, metadata = self._repr_mimebundle_()
        if VIEW in data:
            live = {kind: data[kind] for kind in (VIEW, "text/plain")}
            publish_display_data(live, metadata)  # type: ignore[no-untyped-call]
        saved = {kind: data[kind] for kind in ("text/html", "text/plain")}
        publish_display_data(saved)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Both in one, for whoever shows a bundle of forms."""
        page = {"text/html": self.to_html(self._saved), "text/plain": repr(self)}
        live = None if "google.colab" in sys.modules else super()._repr_mimebundle_(**kwargs)
        if live is None:  # Colab, or a closed widget
            return page, {}
        data, metadata = live
        return {**data, **page}, metadata


def _lean_css(text: str) -> str:
    """`text` without comments and the blanks that mean nothing."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([{};,>])\s*|(?<=:)\s+", r"\1", text).replace(";}", "}").strip()


def _inside(tag: str, text: str) -> str:
    """`text` made safe between <tag> and </tag>: nothing in it ends the element early."""
    return text.replace(f"</{tag}", f"<\\/{tag}").replace("<!--", "<\\!--")
