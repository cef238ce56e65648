"""A page that test after test is lent, blank each time: a new one costs three times what it takes to load a widget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page


class Tab:
    """One page of a browser, and what it complained of since it was lent.

    What a test sets for the documents to come (a script before theirs, a route, a clock) cannot be taken back: the next
    test has a new page then, and so it has after a failure.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.page: Page | None = None
        self.trouble: list[str] = []
        self.spoiled = False

    def lend(self) -> tuple[Page, list[str]]:
        """A blank page as a new one is, and the list of what it will complain of."""
        if self.page is None:
            self.page = self.open()
        self.trouble.clear()
        self.spoiled = False
        return self.page, self.trouble

    def take_back(self) -> None:
        """Leave what the test opened, and put back its size and its scheme; or close the page if it cannot be."""
        page, self.page = self.page, None  # nor is it kept if one of these fails
        assert page is not None
        if self.spoiled or page.is_closed():
            page.context.close()
            return
        page.goto("about:blank")
        page.set_viewport_size({"width": 1280, "height": 720})
        page.emulate_media(
            media="null", color_scheme="light", reduced_motion="no-preference", forced_colors="none"
        )
        page.mouse.move(0, 0)
        self.page = page

    def close(self) -> None:
        if self.page is not None:
            self.page.context.close()

    def open(self) -> Page:
        page = self.browser.new_page()
        page.on("request", lambda r: self.complain(r.url) if r.url.startswith(("http", "ws")) else None)
        page.on("console", lambda m: self.complain(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.complain(str(e)))
        lasting: list[tuple[Any, str]] = [(page.clock, "install"), (page.context, "new_cdp_session")]
        lasting += [
            (page, name) for name in ("add_init_script", "route", "expose_function", "expose_binding")
        ]
        for owner, name in lasting:
            setattr(owner, name, self.spoiling(getattr(owner, name)))
        return page

    def complain(self, words: str) -> None:
        self.trouble.append(words)

    def spoiling(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`, which leaves the page to no other test."""

        def call(*args: Any, **options: Any) -> Any:
            self.spoiled = True
            return method(*args, **options)

        return call
