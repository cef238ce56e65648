"""Images, states and what a figure shows, for the tests of the plots."""

import numpy as np
import torch

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.plot.picture import Picture
from ddpm_lib.sampling import State
from ddpm_lib.schedule import linear_schedule

DIFFUSION = GaussianDiffusion(linear_schedule(500))
LEVEL = 255 / 31  # a step of grey


def images(n: int, c: int = 1, size: int = 8, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(n, c, size, size, generator=torch.Generator().manual_seed(seed)) - 1


def states() -> list[State]:
    x = images(3)
    return [State(t, x * (1 - t / 100), None if t == 100 else x) for t in range(100, -1, -10)]


def canvas(picture: Picture) -> np.ndarray:
    """The image that a picture of tiles shows: (height, width, RGBA)."""
    return np.asarray(picture.axes[0].images[0].get_array())


def grey(x: torch.Tensor) -> np.ndarray:
    return ((x.clamp(-1, 1) + 1) * 127.5).numpy()
