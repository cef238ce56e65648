"""Headless Chromium for the tests that drive a page: one place that finds it and one that starts it.

`browser` is a fixture of every test (conftest.py): one Chromium for test modules in a row.

A missing Chromium is a failure, never a skip: a page that nobody opened has not been tested.
"""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Playwright, expect, sync_playwright

PATIENCE = 120_000  # ms that anything may take to appear, on however slow a machine
expect.set_options(timeout=PATIENCE)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What Playwright disables: of two such flags Chromium reads the last.
PLAYWRIGHTS = [
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
]
# Chromium's window, its buttons and its menus are pages, too, which nobody sees here; each takes a process a window.
OWN_PAGES = (
    "InitialWebUI",
    "PreloadTopChromeWebUI",
    "WebUILocationBar",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    "WebUIReloadButton",
    "WebUITabStrip",
    "WebUIToolbarWebView",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join((*PLAYWRIGHTS, *OWN_PAGES))}",
)


class ChromiumMissing(RuntimeError):
    """No Chromium on this machine."""


def find_chromium(playwright: Playwright | None = None) -> str:
    """The path of a Chromium: the system's, else the one that `playwright install` keeps."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if playwright is not None and Path(playwright.chromium.executable_path).is_file():
        return playwright.chromium.executable_path
    raise ChromiumMissing(
        "No Chromium was found, and the pages are tested in one: run `make chromium`, which installs it, "
        "and try again."
    )


def launch(playwright: Playwright) -> Browser:
    """Starts Chromium headless, with nothing in it that talks to the network by itself."""
    return patient(playwright.chromium.launch(executable_path=find_chromium(playwright), args=list(FLAGS)))


def patient(browser: Browser) -> Browser:
    """The browser, whose pages wait for what they are asked for as long as a slow machine takes."""

    def waiting(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            made = method(*args, **options)
            made.set_default_timeout(PATIENCE)
            return made

        return call

    for name in ("new_page", "new_context"):
        setattr(browser, name, waiting(getattr(browser, name)))
    return browser


class Kept:
    """The Chromium that runs, if one does, and whether the next test asks for it."""

    def __init__(self) -> None:
        self.playwright: Playwright | None = None
        self.browser: Browser | None = None
        self.wanted = False

    def start(self) -> Browser:
        """It, started where none runs or it has crashed."""
        if self.browser is not None and not self.browser.is_connected():
            self.stop()
        if self.browser is None:
            self.playwright = sync_playwright().start()
            try:
                self.browser = launch(self.playwright)
            except BaseException:
                self.stop()
                raise
        return self.browser

    def stop(self) -> None:
        """End it, and Playwright's event loop."""
        if self.browser is not None:
            self.browser.close()
        if self.playwright is not None:
            self.playwright.stop()
        self.playwright = self.browser = None


kept = Kept()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a test module, and for the next one where that begins with a test that asks for it.

    It is not kept for the session: while Playwright's synchronous API is open, its event loop runs in this
    thread, so tests elsewhere could not call `asyncio.run` or start their own.
    """
    chromium = kept.start()
    yield chromium
    for context in chromium.contexts:
        context.close()
    if not kept.wanted:
        kept.stop()


# From a copy, for a canvas that is read often is drawn more slowly; and as text, for a list of a million numbers takes
# many seconds on its way out of the browser.
PIXELS = """canvas => {
    const twin = new OffscreenCanvas(canvas.width, canvas.height);
    const copy = twin.getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const bytes = copy.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return { width: canvas.width, height: canvas.height, bytes: btoa(text) };
}"""


def pixels(canvas: Locator) -> np.ndarray:
    """What a canvas shows: (height, width, 4), red, green, blue and alpha from 0 to 255."""
    shown = canvas.evaluate(PIXELS)
    flat = np.frombuffer(base64.b64decode(shown["bytes"]), np.uint8)
    return flat.reshape(shown["height"], shown["width"], 4)
