"""The generator in a page, for the tests that press its buttons: a fake engine, and weights beside the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from ddpm_lib.widgets import GenerateWidget, Widget
from tests.fake_worker import FAKE_WORKER
from tests.shown import grey
from tests.widget_page import document

WEIGHTS = "weights.js"


def fake(**options: Any) -> GenerateWidget:
    """A generator whose engine is the fake one."""
    return GenerateWidget(worker=FAKE_WORKER, **{"url": WEIGHTS, "steps": 20, **options})


def script(**detail: Any) -> str:
    """A file of weights with this detail."""
    event = f'new CustomEvent("ddpm-weights", {{ detail: {json.dumps(detail)} }})'
    return f"document.currentScript.dispatchEvent({event});"


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Any:
    """Opens widgets in one page, from a file beside which lies a file of weights."""

    def opened(*widgets: Widget, weights: str | None = None, **detail: Any) -> Page:
        (tmp_path / WEIGHTS).write_text(script(**detail) if weights is None else weights, encoding="utf-8")
        (tmp_path / "page.html").write_text(document(*widgets), encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        return page

    return opened


def root(page: Page) -> Locator:
    return page.locator(".ddpm-generate")


def generate(page: Page) -> Locator:
    return page.get_by_role("button", name="Generate", exact=True)


def scrub(page: Page) -> Locator:
    return page.get_by_role("slider", name="step, through what was computed")


def finish(page: Page, state: str = "done") -> None:
    expect(root(page)).to_have_attribute("data-state", state)


def levels(x: torch.Tensor) -> np.ndarray:
    return (x.double().numpy() + 1).clip(0, 2) * 127.5


def assert_recorded(page: Page, words: str) -> None:
    """The error is said, and the recording runs in place of the network."""
    finish(page, "error")
    status = page.locator(".ddpm-status").inner_text()
    assert words in status
    assert "Shown instead: a recording of the same network, drawing 3, 0, 7, 5." in status
    scrub(page).press("End")
    recording = GenerateWidget(worker="")._recording
    want = levels(recording.xt[-1])
    shown = grey(page)[..., 0]
    for k, (top, left) in enumerate([(0, 0), (0, 30), (30, 0), (30, 30)]):
        assert np.abs(shown[top : top + 28, left : left + 28] - want[k, 0]).max() <= 1.5
    assert shown.shape == (58, 58)
