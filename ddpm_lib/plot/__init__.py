"""Figures, their look, tables, and source code shown in a chapter."""

from ddpm_lib.plot.curves import clouds, loss_curve, schedule_curves
from ddpm_lib.plot.figures import denoising_strip, forward_strip, image_grid
from ddpm_lib.plot.picture import COLORS, INK, LINES, Picture, axes, legend
from ddpm_lib.plot.stacked import stacked
from ddpm_lib.plot.table import table

__all__ = [
    "COLORS",
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
    "stacked",
    "table",
]
