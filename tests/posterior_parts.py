"""Parts of the widget of the posterior, for its tests."""

from playwright.sync_api import Locator, Page

SLIDERS = {
    "t": "time t of the noisy pixel",
    "stride": "stride from t back to s",
    "x0": "clean pixel x 0",
    "xt": "noisy pixel x t",
}


def root(page: Page) -> Locator:
    return page.locator(".ddpm-posterior")


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=SLIDERS[name])
