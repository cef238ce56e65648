"""A page with the shipped weights beside it, and the images that it shows."""

import os
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.models import UNetConfig
from ddpm_lib.models.trained import Trained
from ddpm_lib.web.export import checkpoint_of, detail
from ddpm_lib.web.page_script import write_page_script
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.network import SHIPPED
from ddpm_lib.widgets.generator.offered import URL
from ddpm_lib.widgets.host.noise import noise
from tests.shown import grey
from tests.widget_page import document
from tests.worker_page import in_torch, request

OWN = UNetConfig(
    base=8, mults=(1, 2), blocks=1, groups=1, scale_shift=True, classes=3, heads=2, predicts="x0"
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that a built book holds."""
    path = tmp_path_factory.mktemp("good") / "weights.js"
    write_page_script(path, load(SHIPPED))
    return path.read_bytes()


@pytest.fixture
def book(tmp_path: Path, good: bytes) -> Any:
    """Writes a page with one widget, and the file beside it: the page's path."""
    seconds = count(int(time.time()))

    def book(widget: GenerateWidget, file: bytes | None = good) -> Path:
        (tmp_path / "_static").mkdir(exist_ok=True)
        if file is not None:
            (tmp_path / URL).write_bytes(file)
            # A server tells two files apart by the second of their change; two in one second would be one to a browser.
            changed = next(seconds)
            os.utime(tmp_path / URL, (changed, changed))
        (tmp_path / "page.html").write_text(document(widget), encoding="utf-8")
        return tmp_path / "page.html"

    return book


def images(page: Page, n: int, side: int = 28) -> Tensor:
    """The n images (n, 1, side, side) on the canvas of x_t, in [-1, 1]."""
    shown, columns = torch.from_numpy(grey(page)[..., 0]), int(n**0.5)
    assert columns**2 == n
    rows = shown.unfold(0, side, side + 2).unfold(1, side, side + 2)
    return rows.reshape(n, 1, side, side).float() / 127.5 - 1


def final(checkpoint: Trained, seed: int, **run: Any) -> Tensor:
    """What torch draws from the widget's noise with the weights that the page has."""
    checkpoint = checkpoint_of(detail(checkpoint))
    x = noise(seed, (1, *checkpoint.about.shape)).float()
    run = request(**run)
    return in_torch(checkpoint, {**run, "x": x, "noise": torch.zeros(run["steps"], *x.shape)})
