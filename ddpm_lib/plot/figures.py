"""Figures: grids of images, strips over time, curves, clouds of points. Each function returns a `Picture`.

`axes` gives an empty one in the same style, for a chapter's own curves; `legend` names its lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.plot.picture import COLOURS, INK, LINES, STYLE, WIDTH, Picture, axes, legend
from ddpm_lib.sampling import State
from ddpm_lib.schedule import NoiseSchedule

__all__ = [
    "COLOURS",
    "INK",
    "LINES",
    "Picture",
    "axes",
    "clouds",
    "denoising_strip",
    "forward_strip",
    "image_grid",
    "legend",
    "loss_curve",
    "schedule_curves",
]

# -- images ------------------------------------------------------------------------------------------------------


def image_grid(
    x: Float[Tensor, "n c h w"],
    columns: int = 8,
    title: str | None = None,
    *,
    labels: Sequence[object] | None = None,
    scale: int | float | None = None,
    levels: int = 32,
) -> Picture:
    """n images in [-1, 1], clipped, in rows of `columns`; `labels` name the columns.

    A pixel is a square of `scale` CSS pixels: as large as the page's column allows, at most 3, unless told.
    Grey images keep `levels` greys: the eye does not miss the rest, and noise takes half the bytes.
    """
    rows = [list(x[i : i + columns]) for i in range(0, len(x), columns)]
    return _tiles(rows, columns=labels, title=title, scale=scale, levels=levels)


def forward_strip(
    diffusion: GaussianDiffusion,
    x0: Float[Tensor, "n c h w"],
    ts: Sequence[int] = (0, 50, 100, 200, 500),
    seed: int = 0,
    *,
    scale: int | float | None = None,
) -> Picture:
    """One row an image, one column a time: x_t from the closed form, with the same noise along a row."""
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
    """One row an image, t falling from left to right: `columns` of the states that `sample` yields.

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
    left, top = 28 * bool(rows_named), 20 * bool(columns) + 22 * bool(title)  # CSS pixels beside and above
    wide, high = left + across * scale, top + down * scale
    with matplotlib.rc_context(STYLE):
        picture = Picture(figsize=(wide / 96, high / 96))
        picture.density = 2  # a whole number, so that all pixels of an image are equally large
        picture.full_colour = len(rows[0][0]) == 3
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
    colour = shades.round().expand(3, *image.shape[1:])
    array: NDArray[np.uint8] = torch.cat([colour, opaque]).permute(1, 2, 0).byte().numpy()
    return array


# -- curves and clouds -------------------------------------------------------------------------------------------


def schedule_curves(*schedules: NoiseSchedule) -> Picture:
    """alpha_bar, the SNR where it is below 4, and its logarithm, against t."""
    picture, panels = axes(1, 3, height=220, share=False)
    same_T = len({schedule.T for schedule in schedules}) == 1
    for i, schedule in enumerate(schedules):
        t = np.arange(schedule.T + 1) / (1 if same_T else schedule.T)
        ab = schedule.alpha_bar.numpy()
        look = {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[i % len(LINES)]}
        panels[0].plot(t, ab, label=schedule.name, **look)
        panels[1].plot(t[1:], schedule.snr.numpy()[1:], **look)
        panels[2].plot(t[1:], schedule.log_snr.numpy()[1:], **look)
    titles = (r"$\bar\alpha_t$", "SNR", "log SNR")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title)
        panel.set_xlabel("$t$" if same_T else "$t / T$")
    panels[1].set_ylim(0, 4)
    for panel, even in ((panels[1], 1), (panels[2], 0)):  # where image and noise weigh the same
        panel.axhline(even, color=INK, linewidth=0.8, linestyle=":")
    legend(picture)
    return picture


def loss_curve(steps: Sequence[int], losses: Sequence[float], window: int | None = None) -> Picture:
    """The loss at each step, faint, and its mean over the last `window` steps (a twentieth of all unless told)."""
    picture, (panel,) = axes(height=240)
    window = max(1, len(losses) // 20) if window is None else window
    total = np.concatenate([[0.0], np.cumsum(np.asarray(losses, dtype=float))])
    end = np.arange(1, len(losses) + 1)
    start = np.maximum(0, end - window)
    panel.plot(steps, losses, color=INK, alpha=0.35, linewidth=0.8, label="loss")
    panel.plot(steps, (total[end] - total[start]) / (end - start), label=f"mean of the last {window}")
    panel.set_yscale("log")
    panel.set_xlabel("step")
    panel.set_ylabel("loss")
    legend(picture)
    return picture


def clouds(points: Sequence[Float[Tensor, "n 2"]], titles: Sequence[str], limit: float = 3.2) -> Picture:
    """Clouds of 2-D points side by side, all from -limit to limit; circles mark 1 and 2 standard deviations."""
    side = WIDTH // len(points)
    picture, panels = axes(1, len(points), height=side + 24, square=True)
    angle = np.linspace(0, 2 * np.pi, 100)
    for panel, cloud, title in zip(panels, points, titles, strict=True):
        panel.scatter(*cloud.T.numpy(), s=2.2, alpha=0.75, linewidths=0, color=COLOURS[0])
        for r in (1, 2):
            panel.plot(r * np.cos(angle), r * np.sin(angle), color=INK, linewidth=0.8, linestyle=":")
        panel.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
        panel.set_title(title)
        panel.spines[:].set_visible(False)
    return picture
