"""A page that holds widgets and nothing else, for the tests that drive them in Chromium.

from tests.browser import browser  # noqa: F401
from tests.widget_page import document, page, show  # noqa: F401  (fixtures)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ddpm_lib.widgets import Widget


def document(*widgets: Widget) -> str:
    """A page with these widgets and nothing else."""
    body = "\n".join(widget.to_html() for widget in widgets)
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>w</title></head>'
    return f"{head}<body>{body}</body></html>"


def drive(page: Page, widget: Widget) -> None:
    """Load the widget's ES module on a model that the test drives as Python would: `model.set`, and `saved` after."""
    page.set_content("<main></main>")
    page.evaluate(
        """async ([esm, state]) => {
            const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
            const bus = new EventTarget();
            window.model = {
                get: (k) => state[k],
                set: (k, v) => { state[k] = v; bus.dispatchEvent(new Event(`change:${k}`)); },
                on: (k, f) => bus.addEventListener(k, f),
                save_changes: () => { window.saved = { ...state }; },
            };
            module.default.render({ model: window.model, el: document.querySelector("main") });
        }""",
        [str(widget._esm), widget.state()],
    )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must end its test with no request to any network, no console error and no exception."""
    page = browser.new_page()
    trouble: list[str] = []
    page.on("request", lambda r: trouble.append(r.url) if r.url.startswith(("http", "ws")) else None)
    page.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: trouble.append(str(e)))
    yield page
    page.close()
    assert trouble == []


@pytest.fixture
def show(page: Page, tmp_path: Path) -> Any:
    """Opens widgets in one page, from a file."""

    def show(*widgets: Widget) -> Page:
        path = tmp_path / "page.html"
        path.write_text(document(*widgets), encoding="utf-8")
        page.goto(path.as_uri())
        return page

    return show
