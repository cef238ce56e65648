"""How well a color stands out from its ground, as WCAG 2 counts it."""

from __future__ import annotations

import numpy as np


def contrast(color: str, ground: str) -> float:
    """From 1 to 21, of a color as a page computes it, `color(srgb r g b)`, on a ground #rrggbb."""
    front = _luminance([float(x) for x in color.removeprefix("color(srgb ").rstrip(")").split()[:3]])
    back = _luminance([int(ground[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return (max(front, back) + 0.05) / (min(front, back) + 0.05)


def _luminance(color: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))
