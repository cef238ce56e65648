"""Workers that a test can find and kill."""

from playwright.sync_api import Page


def restart(page: Page) -> None:
    page.get_by_role("button", name="Restart").click()


def step_reached(page: Page, step: int) -> None:
    page.wait_for_function(f"document.querySelector('.ddpm-generate').dataset.step >= {step}")
