"""What is wrong with a deck, as Chromium sees it at 1280 by 720."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

SIZE = {"width": 1280, "height": 720}
LEAST = 11  # pixels of a letter's size: two thirds of what the book's page has

LOOK = (Path(__file__).resolve().parent / "look.js").read_text(encoding="utf-8").partition("\n")[2]


def faults(browser: Browser, path: Path) -> tuple[int, list[str]]:
    """How many slides a deck has, and its faults: overflow, tiny letters, console errors, outside requests."""
    page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
    found: list[str] = []
    page.on(
        "console",
        lambda message: found.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "request",
        lambda sent: None if sent.url.startswith(("file:", "data:", "blob:")) else found.append(sent.url),
    )
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    found += page.evaluate(LOOK, LEAST)
    count = page.locator(".slide").count()
    page.close()
    return count, found
