"""Parts of the widget of the loss, for its tests."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page

from ddpm_lib.schedule import NoiseSchedule, linear_schedule
from ddpm_lib.widgets import LossWidget

LONG = linear_schedule(1000)
SHORT = linear_schedule(60)


def losses(schedule: NoiseSchedule, n: int = 2) -> dict[str, torch.Tensor]:
    """The irreducible loss of data with variance 0.2, and n - 1 curves above it."""
    ab = schedule.alpha_bar
    floor = 1 / (1 + (1 - ab) / (0.2 * ab))  # E Var[eps | x_t]
    floor[0] = torch.nan
    names = ["irreducible", "trained", "linear", "zero"]
    return {name: floor * (1 + k / 4) + 0.003 * k for k, name in enumerate(names[:n])}


def root(page: Page) -> Locator:
    return page.locator(".ddpm-loss")


def values(page: Page) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(root(page).get_attribute("data-values") or "")
    return shown


def assert_shown(page: Page, w: LossWidget) -> None:
    expected = w.shown()
    assert list(values(page)) == list(expected)
    for name, value in values(page).items():
        assert value == (None if expected[name] is None else pytest.approx(expected[name], rel=1e-6)), name
    factor = root(page).get_attribute("data-factor") or "nan"
    assert float(factor) == pytest.approx(w.factor or np.nan, rel=1e-6, nan_ok=True)
