"""Which networks the commands draw with: those that draw pictures. Others are used in Python."""

from __future__ import annotations

from ddpm_lib import load
from ddpm_lib.cli.common import UsageError
from ddpm_lib.models.trained import Trained


def load_pictures(checkpoint: str, square: bool = False) -> Trained:
    """The trained network of that name or file. Raises UsageError unless it draws grey or color images.

    With `square` their sides are equal, as are those of all images that are read.
    """
    trained = load(checkpoint)
    shape = trained.about.shape
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise UsageError(
            f"{checkpoint} draws examples of shape {shape}, and no grey or color images: use it in Python, with "
            "ddpm_lib.load."
        )
    if square and shape[1] != shape[2]:
        raise UsageError(
            f"{checkpoint} draws {shape[1]} x {shape[2]} pixels, and images are read as squares: use it in Python, "
            "with ddpm_lib.load."
        )
    return trained
