"""Whether a network that diffusers loads computes what ours does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ddpm_lib.formats import FormatError
from ddpm_lib.models import Network, classes_of
from ddpm_lib.models.trained import Trained

TOLERANCE = 1e-3  # of the largest output, or of 1 where that is smaller; float32 gives about 1e-6


def difference(unet: Any, network: Network, checkpoint: Trained) -> float:
    """The largest difference at t = 1, T / 2 and T, with the class left out and, where there are classes, with labels.

    `unet` is called as diffusers calls it, with its times t - 1. Raises FormatError above TOLERANCE.
    """
    T, classes = checkpoint.schedule.T, classes_of(checkpoint.model_config)
    xt = torch.randn(2, *checkpoint.about.shape, generator=torch.Generator().manual_seed(0))
    worst = 0.0
    with torch.inference_mode():
        for t in (1, (T + 1) // 2, T):
            for y in [None, torch.tensor([0, classes - 1])] if classes else [None]:
                options = {} if y is None else {"class_labels": y}
                expected = network(xt, torch.full((2,), t), y)
                off = float((unet(xt, torch.tensor(t - 1), **options).sample - expected).abs().max())
                if not off <= TOLERANCE * max(1.0, float(expected.abs().max())):  # a NaN is no agreement
                    raise FormatError(
                        f"The network that diffusers loads computes another output at t = {t} than ours (off by "
                        f"{off:.2g}), and nothing was written: try another version of diffusers."
                    )
                worst = max(worst, off)
    return worst


@contextmanager
def quiet(diffusers: Any) -> Iterator[None]:
    """Without its progress bars, and its warning that the network is not a UNet2DModel."""
    log = diffusers.utils.logging
    before = log.get_verbosity()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(before)
        log.enable_progress_bar()
