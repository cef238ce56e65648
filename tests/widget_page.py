"""A page that holds widgets and nothing else, for the tests that drive them in Chromium.

from tests.browser import browser  # noqa: F401
from tests.widget_page import document, page, show  # noqa: F401  (fixtures)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from ddpm_lib.widgets import Widget
from tests.tab import Tab

# All twelve, as a notebook makes them.
WIDGETS = {
    "scrub": "ScrubWidget(x0, t=20)",
    "gaussian": "GaussianWidget(0.7, 0.5)",
    "schedule": "ScheduleWidget(x0[0], T=500)",
    "posterior": "PosteriorWidget(t=20)",
    "loss": "LossWidget({'one': torch.rand(501), 'two': torch.rand(501)}, linear_schedule(500))",
    "cloud": "CloudWidget({'one': torch.randn(50, 2), 'two': torch.rand(50, 2)}, t=20)",
    "trajectory": "TrajectoryWidget({'run': [State(t, x0, x0) for t in (500, 300, 100, 0)]})",
    "generate": "GenerateWidget(steps=20, more=True)",
    "edit": "EditWidget(steps=20)",
    "steer": "SteerWidget(steps=20)",
    "play": "PlayWidget()",
    "digits": "DigitsWidget()",
}
SETUP = """import torch
from ddpm_lib.sampling import State
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.widgets import *
x0 = torch.zeros(4, 1, 8, 8)"""


def made(name: str) -> Widget:
    """One of the twelve."""
    names: dict[str, Any] = {}
    exec(SETUP, names)
    widget: Widget = eval(WIDGETS[name], names)
    return widget


def document(*widgets: Widget) -> str:
    """A page with these widgets and nothing else."""
    body = "\n".join(widget.to_html() for widget in widgets)
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>w</title></head>'
    return f"{head}<body>{body}</body></html>"


def moved(widget: Locator) -> None:
    """Every slider and every choice of a widget answers to the arrow keys, and ends elsewhere than it stood."""
    sliders = [s for s in widget.get_by_role("slider").all() if s.is_visible() and s.is_enabled()]
    for slider in sliders:
        start = slider.input_value()
        seen = {start}
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"):
            slider.press(key)
            seen.add(slider.input_value())
        assert len(seen) > 1, slider.get_attribute("aria-label")
        if slider.input_value() == start:
            slider.press("ArrowLeft")
    for group in widget.get_by_role("radiogroup").all():
        group.get_by_role("radio", checked=True).press("ArrowDown")


def drive(page: Page, widget: Widget, clear: bool = True) -> None:
    """Load the widget's ES module on a model that the test drives as Python would: `model.set`, and `saved` after."""
    if clear:
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
        [str(widget._esm), {**widget.state(), "_saved": widget._saved}],
    )


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Tab]:
    """The page of a module's tests."""
    kept = Tab(browser)
    yield kept
    kept.close()


@pytest.fixture
def page(tab: Tab) -> Iterator[Page]:
    """A page that must end its test with no request to any network, no console error and no exception."""
    page, trouble = tab.lend()
    yield page
    tab.take_back()
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
