"""The generator where something is missing: WebAssembly, or a file of weights that is good."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page

from ddpm_lib import load
from ddpm_lib.evaluate.metrics import digit_classes
from ddpm_lib.web.export import detail
from ddpm_lib.web.page_script import page_script
from ddpm_lib.web.worker_source import worker_source
from ddpm_lib.widgets import GenerateWidget
from ddpm_lib.widgets.generator.network import SHIPPED
from tests.browser import FLAGS, find_chromium
from tests.generator_page import assert_recorded, finish, generate, levels, root
from tests.published import OWN, final, images
from tests.published import book as book
from tests.published import good as good
from tests.shown import grey
from tests.widget_page import document
from tests.worker_page import random_checkpoint
from tools.serve import server


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
    finish(page)
    assert root(page).get_attribute("data-step") == "20"
    assert "20 steps are set, not 30" in page.locator(".ddpm-status").inner_text()
    expected = final(mine, 0, labels=[2], w=0.5, steps=20)
    assert abs(grey(page)[..., 0] - levels(expected[0, 0])).max() <= 1
    bare.close()


def test_without_webassembly_a_digit_comes_all_the_same(page: Page, book: Any) -> None:
    script = page_script("delete self.WebAssembly;\n" + worker_source(), json.dumps(detail(load(SHIPPED))))
    page.goto(book(GenerateWidget(digit=3), script.encode()).as_uri())
    generate(page).click()
    finish(page)
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
