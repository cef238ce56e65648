"""Grids of images, and strips of them over time; each function returns a `Picture`."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.plot.picture import INK, STYLE, WIDTH, Picture
from ddpm_lib.sampling import State


def image_grid(
    x: Float[Tensor, "n c h w"],
    columns: int = 8,
    title: str | None = None,
    *,
    labels: Sequence[object] | None = None,
    groups: Sequence[tuple[str, int]] | None = None,
    beside: Sequence[str] | None = None,
    scale: int | float | None = None,
    levels: int = 32,
) -> Picture:
    """n images in [-1, 1], clipped, in rows of `columns`; `labels` name the columns, and `beside` the rows.

    `groups` are names above the labels, each with the number of columns that it spans; "" leaves its columns bare.

    A pixel is a square of `scale` CSS pixels: as large as the page's column allows, at most 3, unless told.
    Grey images keep `levels` greys: the eye does not miss the rest, and noise takes half the bytes.
    """
    rows = [list(x[i : i + columns]) for i in range(0, len(x), columns)]
    return _tiles(
        rows, columns=labels, groups=groups, rows_named=beside, title=title, scale=scale, levels=levels
    )


def forward_strip(
    diffusion: GaussianDiffusion,
    x0: Float[Tensor, "n c h w"],
    ts: Sequence[int] = (0, 50, 100, 200, 500),
    seed: int = 0,
    *,
    scale: int | float | None = None,
) -> Picture:
    """One row per image, one column per time: x_t from the closed form, with the same noise along a row."""
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(seed)).to(x0)
    columns = [diffusion.q_sample(x0, t, eps) for t in ts]
    rows = [[column[i] for column in columns] for i in range(len(x0))]
    return _tiles(rows, columns=[f"$t = {t}$" for t in ts], scale=scale)


def denoising_strip(
    states: Sequence[State],
    count: int = 4,
    columns: int = 8,
    *,
    x0_hat: bool = False,
    scale: int | float | None = None,
) -> Picture:
    """One row per image, t falling from left to right: `columns` of the states that `sample` yields.

    With `x0_hat` the prediction that led to each state stands beneath it.
    """
    index = np.linspace(0, len(states) - 1, min(columns, len(states))).round().astype(int)
    chosen = [states[i] for i in index]
    blank = torch.full_like(chosen[0].xt[0], float("nan"))
    rows, names = [], []
    for i in range(min(count, len(chosen[0].xt))):
        rows.append([state.xt[i] for state in chosen])
        names.append("$x_t$")
        if x0_hat:
            rows.append([blank if state.x0_hat is None else state.x0_hat[i] for state in chosen])
            names.append(r"$\hat x_0$")
    labels = [f"$t = {state.t}$" for state in chosen]
    return _tiles(rows, columns=labels, rows_named=names if x0_hat else None, scale=scale)


def _tiles(
    rows: Sequence[Sequence[Float[Tensor, "c h w"]]],
    *,
    columns: Sequence[object] | None = None,
    groups: Sequence[tuple[str, int]] | None = None,
    rows_named: Sequence[str] | None = None,
    title: str | None = None,
    scale: int | float | None = None,
    gap: int = 1,
    levels: int = 32,
) -> Picture:
    """Images on one transparent canvas, with names over the columns and beside the rows; NaN is left empty."""
    height, width = rows[0][0].shape[-2:]
    down, across = len(rows) * (height + gap) - gap, len(rows[0]) * (width + gap) - gap
    canvas = np.zeros((down, across, 4), np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + gap), j * (width + gap)
            canvas[top : top + height, left : left + width] = _rgba(image, levels)
    scale = max(1, min(3, WIDTH // across)) if scale is None else scale
    # CSS pixels beside and above; a letter is about 9 wide
    left = max((28 if "$" in name else 5 + 9 * len(name) for name in rows_named or []), default=0)
    top = 20 * bool(columns) + 22 * bool(groups) + 22 * bool(title)
    wide, high = left + across * scale, top + down * scale
    with matplotlib.rc_context(STYLE):
        picture = Picture(figsize=(wide / 96, high / 96))
        # about 2, and such that a pixel of an image is a whole number of the picture's: all are equally large
        picture.density = max(1, round(2 * scale - 0.01)) / scale
        picture.full_color = len(rows[0][0]) == 3
        panel = picture.add_axes((left / wide, 0, 1 - left / wide, 1 - top / high))
        panel.imshow(canvas, interpolation="nearest", aspect="auto")
        panel.set_axis_off()
        for j, name in enumerate(columns or []):
            panel.annotate(
                str(name),
                (j * (width + gap) + width / 2, -0.5),
                (0, 4),
                textcoords="offset points",
                ha="center",
            )
        begin = 0
        for name, span in groups or []:
            if not name:
                begin += span
                continue
            first, last = begin * (width + gap), (begin + span) * (width + gap) - 4 * gap
            line = -(20 * bool(columns) + 4) / scale
            panel.plot([first, last], [line, line], color=INK, linewidth=0.8, clip_on=False)
            panel.annotate(
                name,
                ((first + last) / 2, line),
                (0, 3),
                textcoords="offset points",
                ha="center",
                annotation_clip=False,
            )
            begin += span
        panel.set(xlim=(-0.5, across - 0.5), ylim=(down - 0.5, -0.5))
        for i, name in enumerate(rows_named or []):
            at = (-0.5, i * (height + gap) + height / 2)
            panel.annotate(name, at, (-4, 0), textcoords="offset points", ha="right", va="center")
        if title:
            picture.text(0.5, 1 - 4 / high, title, ha="center", va="top")
    return picture


def _rgba(image: Float[Tensor, "c h w"], levels: int) -> NDArray[np.uint8]:
    image = image.detach().float().cpu()
    opaque = 255 * torch.isfinite(image).all(0, keepdim=True)
    steps = levels - 1 if len(image) == 1 else 255
    shades = ((image.nan_to_num().clamp(-1, 1) + 1) / 2 * steps).round() / steps * 255
    color = shades.round().expand(3, *image.shape[1:])
    array: NDArray[np.uint8] = torch.cat([color, opaque]).permute(1, 2, 0).byte().numpy()
    return array
