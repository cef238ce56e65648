"""What every figure of the book shares: its look, its size, and how a notebook shows it.

A `Picture` is a matplotlib Figure that belongs to no window and no pyplot state: it is drawn where it is the
last line of a cell, once, and is freed with its last reference. The background is transparent and the inks
are a middle grey and Okabe and Ito's colors, so that one file reads on a light page and on a dark one.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from numpy.typing import NDArray
from PIL import Image

INK = "#787878"  # contrast 4.4 on white and 4.3 on the dark page
# Okabe and Ito, less yellow and black
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LINES = ("-", "--", "-.", ":")
LEGEND = 80  # letters that fit side by side above a picture
WIDTH = 600  # CSS pixels: fits a page's column, and its letters can still be read on a phone

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.prop_cycle": cycler(color=COLORS),
    "figure.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
}


class Picture(Figure):
    """A Figure that shows itself as a small PNG, sharp on a screen of high density.

    It has `density` pixels per CSS pixel, and at most 64 colors unless `full_color` says that it shows
    photographs.
    """

    density = 1.5
    full_color = False

    def png(self) -> bytes:
        """The picture as a PNG file."""
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            self.savefig(buffer, format="png", dpi=96 * self.density, transparent=True)
        full: Image.Image = Image.open(buffer)
        if not self.full_color:
            full = full.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        full.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        width = round(96 * float(self.get_size_inches()[0]))  # the height follows
        data = {"image/png": base64.b64encode(self.png()).decode("ascii"), "text/plain": repr(self)}
        return data, {"image/png": {"width": width}}


def axes(
    rows: int = 1,
    columns: int = 1,
    *,
    width: int = WIDTH,
    height: int = 260,
    square: bool = False,
    share: bool = True,
) -> tuple[Picture, NDArray[Any]]:
    """An empty styled picture of rows x columns axes, with `width` and `height` in CSS pixels.

    The axes come as a flat array. `square` gives both axes one scale; `share` gives all panels the same limits.
    """
    with matplotlib.rc_context(STYLE):
        picture = Picture(figsize=(width / 96, height / 96), layout="constrained")
        panels = picture.subplots(rows, columns, sharex=share, sharey=share, squeeze=False).ravel()
        for panel in panels:
            if square:
                panel.set_aspect("equal")
    return picture, panels


def legend(picture: Picture) -> None:
    """One legend above all axes of the picture, for every line that has a label."""
    pairs = [zip(*panel.get_legend_handles_labels(), strict=True) for panel in picture.axes]
    lines, names = zip(*(pair for panel in pairs for pair in panel), strict=True)
    columns = max(1, LEGEND // (max(map(len, names)) + 7))  # 7: what a line's sample and the gap take
    with matplotlib.rc_context(STYLE):
        picture.legend(lines, names, loc="outside upper left", ncols=min(5, columns, len(names)))
