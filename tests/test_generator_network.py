"""The generator as it is published: the shipped network, the course's own engine in a worker, a page from the disk."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from ddpm_lib import load
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.network import SHIPPED
from tests.generator_page import finish, generate, levels, root
from tests.published import OWN, final, images
from tests.published import book as book
from tests.published import good as good
from tests.shown import grey
from tests.widget_page import document
from tests.worker_page import random_checkpoint
from tools.page_networks import move_networks


def test_what_a_page_downloads_is_less_than_one_and_a_half_megabytes(good: bytes) -> None:
    assert len(good) < 1_500_000


@pytest.mark.slow
def test_the_classifier_names_the_digits_of_the_page_as_they_were_asked_for(page: Page, book: Any) -> None:
    """Ninety-six, sixteen at a press: in few steps; benchmarks/in_browser.py takes more."""
    page.goto(book(GenerateWidget(n=16, digit="each", steps=10, more=True)).as_uri())
    seed_box, drawn = page.get_by_role("spinbutton", name="seed"), []
    for seed in range(0, 96, 16):
        seed_box.fill(str(seed))
        seed_box.press("Tab")
        generate(page).click()
        finish(page)
        drawn.append(images(page, 16))
    found = digit_classes(torch.cat(drawn), torch.arange(96) % 10)
    print(f"\n{found}")
    assert found.agreement is not None
    assert found.agreement >= 0.97


def test_the_page_shows_the_picture_that_torch_draws(page: Page, book: Any) -> None:
    page.goto(book(GenerateWidget(seed=5, digit=7)).as_uri())
    generate(page).click()
    finish(page)
    assert root(page).get_attribute("data-step") == "50"
    expected = final(load(SHIPPED), 5, labels=[7], w=0.5, steps=50)
    assert abs(grey(page)[..., 0] - levels(expected[0, 0])).max() <= 1


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
def test_the_python_beside_the_seed_draws_the_picture_of_the_page(
    page: Page, book: Any, sampler: str
) -> None:
    page.goto(book(GenerateWidget(seed=5, digit="each", sampler=sampler, n=4, steps=6, more=True)).as_uri())
    page.get_by_role("spinbutton", name="seed").fill("11")
    page.get_by_role("spinbutton", name="seed").press("Tab")
    generate(page).click()
    finish(page)
    program = page.locator(".ddpm-python code").inner_text()
    names: dict[str, Any] = {}
    exec(program.replace("GenerateWidget(", "x = GenerateWidget("), names)
    assert names["x"].shape == (4, 1, 28, 28)
    want = torch.from_numpy(levels(names["x"]).round()).float() / 127.5 - 1
    assert (images(page, 4) - want).abs().max() <= 1.01 / 127.5
    assert images(page, 4).std(0).mean() > 0.2


@pytest.mark.parametrize("where", ["in the output", "in a file of its own"])
def test_a_network_of_ones_own_runs_in_the_page(page: Page, tmp_path: Path, where: str) -> None:
    mine = random_checkpoint(OWN)
    text = document(GenerateWidget(mine, seed=3, digit=1, steps=20))
    if where == "in a file of its own":  # as the build of the book leaves it
        whole, text = len(text), move_networks(text, tmp_path)
        (file,) = (tmp_path / "_static").iterdir()
        assert re.fullmatch(r"network-[0-9a-f]{8}\.js", file.name)
        assert whole - len(text) > file.stat().st_size > 100_000
        assert len(text) < 60_000  # the widget itself; what a page weighs is held in test_pages.py
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    generate(page).click()
    finish(page)
    expected = final(mine, 3, labels=[1], w=0.5, steps=20)
    assert expected.std() > 0.05
    assert abs(grey(page)[..., 0] - levels(expected[0, 0])).max() <= 1


def test_only_a_network_that_lies_in_the_page_is_moved(tmp_path: Path) -> None:
    text = document(GenerateWidget())
    assert move_networks(text, tmp_path) == text
    assert not list(tmp_path.iterdir())
