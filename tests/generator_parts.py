"""Checkpoints, levels and answers, for the tests of the generator."""

import numpy as np
import torch
from playwright.sync_api import Page

from ddpm_lib.models import UNet, UNetConfig
from tests.browser import pixels


def tiny(channels: int = 1) -> UNet:
    torch.manual_seed(0)
    return UNet(UNetConfig(channels=channels, base=8, mults=(1, 2), groups=1)).eval()


def pad_levels(page: Page) -> np.ndarray:
    return pixels(page.get_by_role("application"))[..., 2].astype(float)
