"""The page of Play, and what its tests press and read."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def root(page: Page) -> Locator:
    return page.locator(".ddpm-learn")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).press("Enter")


def steps(page: Page) -> int:
    return int(root(page).get_attribute("data-steps") or 0)


def trained_for(page: Page, least: int) -> None:
    """Train until so many steps are taken, then pause and wait for what was learned."""
    press(page, "Train")
    page.wait_for_function("n => Number(document.querySelector('.ddpm-learn').dataset.steps) >= n", arg=least)
    press(page, "Pause")
    expect(page.get_by_role("button", name="Save weights")).to_be_enabled()
    expect(root(page)).to_have_attribute("data-state", "paused")
