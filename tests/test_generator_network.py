"""The generator as it is published: the shipped network, the course's own engine in a worker, a page from the disk."""

import json
import os
import re
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.models import UNetConfig
from ddpm_lib.models.trained import Trained
from ddpm_lib.web.export import checkpoint_of, detail
from ddpm_lib.web.page_script import page_script, write_page_script
from ddpm_lib.web.worker_source import worker_source
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.network import SHIPPED
from ddpm_lib.widgets.generator.offered import URL
from ddpm_lib.widgets.host.noise import noise
from tests.browser import FLAGS, find_chromium
from tests.generator_page import assert_recorded, finish, generate, levels, root
from tests.test_widgets import grey
from tests.widget_page import document
from tests.worker_page import in_torch, random_checkpoint, request
from tools.page_networks import move_networks
from tools.serve import server

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
        finish(page, seconds=60)
        drawn.append(images(page, 16))
    found = digit_classes(torch.cat(drawn), torch.arange(96) % 10)
    print(f"\n{found}")
    assert found.agreement is not None
    assert found.agreement >= 0.97


def test_the_page_shows_the_picture_that_torch_draws(page: Page, book: Any) -> None:
    page.goto(book(GenerateWidget(seed=5, digit=7)).as_uri())
    generate(page).click()
    finish(page, seconds=60)
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
    finish(page, seconds=60)
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


# Where something is missing


def test_a_browser_without_webassembly_runs_a_network_all_the_same(browser: Browser, tmp_path: Path) -> None:
    flags = [
        *FLAGS,
        "--js-flags=--jitless",
    ]  # as in a browser that is locked down: no WebAssembly, no compiler
    bare = browser.browser_type.launch(executable_path=find_chromium(), args=flags)
    page = bare.new_page()
    mine = random_checkpoint(OWN)
    (tmp_path / "page.html").write_text(document(GenerateWidget(mine, steps=30)), encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("typeof WebAssembly") == "undefined"
    generate(page).click()
    finish(page, seconds=60)
    assert root(page).get_attribute("data-step") == "20"
    assert "20 steps are set, not 30" in page.locator(".ddpm-status").inner_text()
    expected = final(mine, 0, labels=[2], w=0.5, steps=20)
    assert abs(grey(page)[..., 0] - levels(expected[0, 0])).max() <= 1
    bare.close()


def test_without_webassembly_a_digit_comes_all_the_same(page: Page, book: Any) -> None:
    script = page_script("delete self.WebAssembly;\n" + worker_source(), json.dumps(detail(load(SHIPPED))))
    page.goto(book(GenerateWidget(digit=3), script.encode()).as_uri())
    generate(page).click()
    finish(page, seconds=120)
    assert root(page).get_attribute("data-step") == "20"
    assert int(root(page).get_attribute("data-ms") or 0) > 0
    assert "no WebAssembly SIMD" in page.locator(".ddpm-status").inner_text()
    assert digit_classes(images(page, 1), torch.tensor([3])).agreement == 1


@pytest.fixture(params=["file", "http"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the pages of this test lie."""
    if request.param == "file":
        yield f"{tmp_path.as_uri()}/"
        return
    with server(tmp_path) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()


DAMAGE = {
    "missing": "The network's weights do not lie beside this page",
    "empty": "The file with the network's weights is broken",
    "cut short": "The file with the network's weights is broken",
    "flipped": "The weights are damaged (their checksum is wrong)",
    "another format": "The weights have the format ddpm_lib/web/9, not ddpm_lib/web/1",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_is_no_good_ends_in_the_recording_and_a_good_one_in_a_picture(
    browser: Browser, book: Any, good: bytes, address: str, damage: str
) -> None:
    at = good.rindex(b'"data": "') + 5000
    flipped = good[:at] + (b"A" if good[at : at + 1] == b"B" else b"B") + good[at + 1 :]
    other = good.replace(b'"format": "ddpm_lib/web/1"', b'"format": "ddpm_lib/web/9"')
    files = {"missing": None, "empty": b"", "cut short": good[: len(good) // 2], "flipped": flipped}
    book(GenerateWidget(steps=2), files.get(damage, other))
    page = browser.new_page()  # its console may say what is wrong with the file
    page.goto(f"{address}page.html")
    generate(page).click()
    assert_recorded(page, DAMAGE[damage])
    book(GenerateWidget(steps=2), good)
    page.get_by_role("button", name="Restart").click()
    finish(page)
    assert json.loads(root(page).get_attribute("data-step") or "") == 2
    page.close()
