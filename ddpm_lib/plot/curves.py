"""Curves and clouds of points; each function returns a `Picture`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import LogFormatter
from torch import Tensor

from ddpm_lib.plot.picture import COLORS, INK, LINES, WIDTH, Picture, axes, legend
from ddpm_lib.schedule import NoiseSchedule


def schedule_curves(*schedules: NoiseSchedule) -> Picture:
    """alpha_bar, the SNR where it is below 4, and its logarithm, against t."""
    picture, panels = axes(1, 3, height=220, share=False)
    same_T = len({schedule.T for schedule in schedules}) == 1
    for i, schedule in enumerate(schedules):
        t = np.arange(schedule.T + 1) / (1 if same_T else schedule.T)
        ab = schedule.alpha_bar.numpy()
        look = {"color": COLORS[i % len(COLORS)], "linestyle": LINES[i % len(LINES)]}
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


class _Decimal(LogFormatter):
    """0.06 where matplotlib writes 6 x 10^-2, at the same ticks."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of the tick at x, empty where there is none."""
        return f"{x:.3g}" if super().__call__(x, pos) else ""


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
    panel.yaxis.set_major_formatter(_Decimal())
    panel.yaxis.set_minor_formatter(_Decimal(minor_thresholds=(2, 0.4)))
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
        panel.scatter(*cloud.T.numpy(), s=2.2, alpha=0.75, linewidths=0, color=COLORS[0])
        for r in (1, 2):
            panel.plot(r * np.cos(angle), r * np.sin(angle), color=INK, linewidth=0.8, linestyle=":")
        panel.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
        panel.set_title(title)
        panel.spines[:].set_visible(False)
    return picture
