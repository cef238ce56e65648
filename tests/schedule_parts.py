"""Parts of the widget of the schedule, for its tests."""

import torch
from playwright.sync_api import Locator, Page

X0 = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


def root(page: Page) -> Locator:
    return page.locator(".ddpm-schedule")
