"""The generator in trouble: bad weights, a network that dies or hangs, a page that is left; a fake engine."""

from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ddpm_lib.widgets import GenerateWidget
from tests.browser import FLAGS, find_chromium
from tests.generator_page import WEIGHTS, assert_recorded, fake, finish, generate, root, script
from tests.troubled import restart, step_reached
from tests.widget_page import document
from tools.serve import server


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("", "The file with the network's weights is broken"),
        (script(refuse="The weights are damaged."), "The weights are damaged. Shown"),
        (script(crash=3), "The network stopped: Uncaught Error: out of memory."),
    ],
)
def test_broken_weights_and_a_crash_end_in_the_recording(opened: Any, weights: str, words: str) -> None:
    page = opened(fake(), weights=weights)
    generate(page).click()
    assert_recorded(page, words)
    assert generate(page).is_enabled()


def test_a_missing_file_ends_in_the_recording_and_can_be_tried_again(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(document(fake()), encoding="utf-8")
    page = browser.new_page()  # its console will say that the file is missing
    page.goto((tmp_path / "page.html").as_uri())
    generate(page).click()
    assert_recorded(page, "The network's weights do not lie beside this page")
    (tmp_path / WEIGHTS).write_text(script(), encoding="utf-8")
    generate(page).click()
    finish(page)
    page.close()


def test_without_workers_it_says_so(opened: Any, page: Page) -> None:
    page.add_init_script("delete window.Worker")
    opened(fake())
    generate(page).click()
    assert_recorded(page, "This browser has no background workers")


def test_an_engine_that_cannot_run_says_why(opened: Any) -> None:
    engine = 'onmessage = () => postMessage({ type: "error", message: "There is no WebAssembly here." });'
    page = opened(GenerateWidget(worker=engine, url=WEIGHTS))
    generate(page).click()
    assert_recorded(page, "There is no WebAssembly here. Shown")


@pytest.mark.parametrize("when", ["loading", "running"])
def test_taking_the_widget_away_ends_its_worker(opened: Any, page: Page, when: str) -> None:
    page.add_init_script(
        """window.alive = 0;
        window.Worker = class extends Worker {
            constructor(url) { super(url); alive += 1; }
            terminate() { alive -= 1; super.terminate(); }
        };"""
    )
    opened(fake(steps=300), pace=20)
    generate(page).click()
    expect(root(page)).to_have_attribute("data-state", "running")
    if when == "running":
        page.wait_for_function("document.querySelector('.ddpm-generate').dataset.step >= 2")
        page.evaluate("document.querySelector('.ddpm-host').remove()")
    else:
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
        assert root(page).get_attribute("data-state") == "idle"
    page.wait_for_function("alive === 0")


def test_a_page_that_sleeps_goes_on_when_it_wakes(opened: Any, page: Page) -> None:
    opened(fake(steps=60), pace=20)
    generate(page).click()
    step_reached(page, 3)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.wait_for_timeout(1_500)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    finish(page)
    assert root(page).get_attribute("data-step") == "60"


def test_without_webassembly_there_are_fewer_steps_and_it_says_so(opened: Any) -> None:
    page = opened(fake(steps=50), kind="javascript")
    generate(page).click()
    finish(page)
    status = page.locator(".ddpm-status")
    assert root(page).get_attribute("data-step") == "20"
    assert (
        "no WebAssembly SIMD, so a step takes seven to nine times as long: 20 steps are set, not 50."
        in status.inner_text()
    )
    page.locator("summary").click()
    steps = page.get_by_role("slider", name="number of steps")
    assert steps.get_attribute("aria-valuetext") == "20 steps"
    steps.press("ArrowRight")  # whoever chooses is obeyed
    generate(page).click()
    finish(page)
    assert root(page).get_attribute("data-step") == "25"
    assert status.inner_text().endswith("so a step takes seven to nine times as long.")


def test_a_page_that_is_left_and_come_back_to_is_as_it_was_and_draws_again(
    browser: Browser, tmp_path: Path
) -> None:
    """The browser keeps the page aside, with all that it holds (Playwright turns that off unless told)."""
    keeping = browser.browser_type.launch(
        executable_path=find_chromium(),
        args=[*FLAGS],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    (tmp_path / "page.html").write_text(document(fake(steps=100)), encoding="utf-8")
    (tmp_path / "other.html").write_text("<!doctype html><title>other</title>", encoding="utf-8")
    (tmp_path / WEIGHTS).write_text(script(pace=30), encoding="utf-8")
    with server(tmp_path) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_address[1]}"
        page = keeping.new_page()
        page.goto(f"{address}/page.html")
        page.evaluate("addEventListener('pageshow', (event) => (window.kept = event.persisted))")
        generate(page).click()
        step_reached(page, 5)
        page.goto(f"{address}/other.html")
        page.evaluate("history.back()")
        page.wait_for_function("window.kept")
        assert root(page).get_attribute("data-state") == "idle"
        assert int(root(page).get_attribute("data-step") or 0) >= 5
        assert page.locator(".ddpm-status").inner_text() == "Stopped."
        restart(page)
        finish(page)
        running.shutdown()
    keeping.close()
