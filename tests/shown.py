"""The levels that a widget draws, read from its canvas."""

import re

import numpy as np
import torch
from playwright.sync_api import Frame, Locator, Page

from tests.browser import pixels

X0 = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


def grey(
    scope: Page | Frame | Locator, name: str | re.Pattern[str] = re.compile("the (noisy|clean) image x t")
) -> np.ndarray:
    """The levels (h, w, 3) on the canvas with this accessible name."""
    return pixels(scope.get_by_role("img", name=name))[..., :3].astype(int)


def levels(x: torch.Tensor) -> np.ndarray:
    """The levels (h, w, 3) that a picture (1, c, h, w) in [-1, 1] is drawn with."""
    drawn = ((x[0].double() + 1) * 127.5).clamp(0, 255).permute(1, 2, 0)
    return drawn.expand(-1, -1, 3).numpy()


def assert_drawn(actual: np.ndarray, x: torch.Tensor) -> None:
    assert np.abs(actual - levels(x)).max() <= 0.5 + 1e-4  # rounding alone
