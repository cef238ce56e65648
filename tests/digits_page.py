"""The page of the digits, and what its tests press and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from ddpm_lib.data import mnist
from ddpm_lib.models import build
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import DigitsWidget
from ddpm_lib.widgets.digits.images import digits_script, packed
from ddpm_lib.widgets.digits.recipe import NETWORK, T
from tests.widget_page import document

FILE = "digits.js"
FEW = json.dumps(packed(mnist(train=False).head(300)))


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Any:
    """Opens a widget from the disk, with a file of some digits beside it."""

    def opened(widget: DigitsWidget, digits: str | None = None) -> Page:
        widget.url = FILE
        (tmp_path / FILE).write_text(digits_script(FEW) if digits is None else digits, encoding="utf-8")
        (tmp_path / "page.html").write_text(document(widget), encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        return page

    return opened


def root(page: Page) -> Locator:
    return page.locator(".ddpm-digits")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).press("Enter")


def be(page: Page, state: str) -> None:
    expect(root(page)).to_have_attribute("data-state", state)


def trained_for(page: Page, least: int) -> None:
    """Until so many steps are taken."""
    page.wait_for_function(
        "n => Number(document.querySelector('.ddpm-digits').dataset.steps) >= n", arg=least
    )


def paused(page: Page) -> None:
    """Pause, and wait for the last drawing and the file."""
    press(page, "Pause")
    be(page, "paused")
    expect(root(page)).to_have_attribute("data-saved", "true")
    page.wait_for_function(
        "() => { const d = document.querySelector('.ddpm-digits').dataset; return d.drawn === d.steps; }",
    )


def status(page: Page) -> Locator:
    return page.locator(".ddpm-status")


def untrained() -> Trained:
    """The network of the page with random weights, so that it draws something."""
    torch.manual_seed(0)
    net = build(NETWORK)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    tensors = {f"ema.{name}": tensor for name, tensor in net.state_dict().items()}
    return Trained(NETWORK, cosine_schedule(T), About("mnist", (1, 28, 28), tuple("0123456789")), tensors, 7)
