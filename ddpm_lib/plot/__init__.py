"""Figures, their look, and source code shown in a chapter."""

from ddpm_lib.plot.figures import (
    COLOURS,
    INK,
    LINES,
    Picture,
    axes,
    clouds,
    denoising_strip,
    forward_strip,
    image_grid,
    legend,
    loss_curve,
    schedule_curves,
)

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
