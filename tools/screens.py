"""Pictures of the built pages to look at, and the one in README.

python -m tools.screens            every page, wide and narrow, light and dark, into _build/screens
python -m tools.screens --readme   the picture in README, from the built book
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import launch
from tools.serve import HTML, ROOT

OUT = ROOT / "_build" / "screens"
README = ROOT / "book" / "assets" / "readme.png"


def ready(page: Page) -> None:
    """Wait until nothing is loading, fonts included."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")


def every_page() -> None:
    """Each page at 1280 and 390 pixels, in light and dark, whole."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": 900},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                for path in sorted((HTML / "book").glob("*.html")):
                    page.goto(path.as_uri())
                    ready(page)
                    target = OUT / f"{path.stem}-{width}-{scheme}.png"
                    page.screenshot(path=target, full_page=True)
                    print(target.relative_to(ROOT))


def readme() -> None:
    """The widget of the forward chapter at t = 120, with the chapter's head above it."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1180, "height": 800}, device_scale_factor=1.5)
        page.goto((HTML / "book" / "forward.html").as_uri())
        ready(page)
        slider = page.locator(".ddpm-scrub input[type=range]").first
        slider.fill("120")
        slider.blur()
        widget = page.locator(".ddpm-scrub").first
        widget.scroll_into_view_if_needed()
        widget.evaluate(
            "node => window.scrollBy(0, node.getBoundingClientRect().bottom - window.innerHeight + 24)"
        )
        page.wait_for_timeout(300)
        page.screenshot(path=README)
    print(Path(README).relative_to(ROOT), f"{README.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    readme() if "--readme" in sys.argv else every_page()
