"""Pictures beneath one another, as one: for what is too wide for a telephone side by side."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ddpm_lib.plot.picture import Picture


def stacked(*pictures: Picture, gap: int = 0) -> Picture:
    """The pictures from above to below, flush left, pixel by pixel as each shows itself; all of one `density`.

    `gap` CSS pixels stay empty between two of them.
    """
    densities = sorted({picture.density for picture in pictures})
    if len(densities) != 1:
        raise ValueError(
            f"The pictures have {densities} pixels per CSS pixel, but one number was expected: "
            "pass at least one picture, and give all of them the same scale."
        )
    pages = [np.asarray(Image.open(io.BytesIO(picture.png())).convert("RGBA")) for picture in pictures]
    between = round(gap * densities[0])
    high = sum(len(page) for page in pages) + between * (len(pages) - 1)
    wide = max(page.shape[1] for page in pages)
    canvas, top = np.zeros((high, wide, 4), np.uint8), 0
    for page in pages:
        canvas[top : top + len(page), : page.shape[1]] = page
        top += len(page) + between
    dpi = 96 * densities[0]
    whole = Picture(
        figsize=((wide + 0.01) / dpi, (high + 0.01) / dpi), dpi=dpi
    )  # 0.01: sizes are cut, not rounded
    whole.density = densities[0]
    whole.full_color = any(picture.full_color for picture in pictures)
    whole.figimage(canvas)
    return whole
