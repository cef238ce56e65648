"""A network that falls silent, or weights that do not come, are given up in time and may come later."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.generator_page import WEIGHTS, assert_recorded, fake, finish, generate, root
from tests.troubled import restart, step_reached

# A page whose workers a test can find and kill.
WORKERS = """window.workers = [];
window.Worker = class extends Worker {
    constructor(url) { super(url); workers.push(this); }
    terminate() { workers = workers.filter((w) => w !== this); super.terminate(); }
};"""


@pytest.mark.parametrize("how", ["hangs", "is killed"])
def test_a_network_that_falls_silent_is_given_up_and_begun_anew(opened: Any, page: Page, how: str) -> None:
    page.add_init_script(WORKERS)
    page.clock.install()
    opened(fake(steps=40), pace=20, **({"hang": 4} if how == "hangs" else {}))
    generate(page).click()
    step_reached(page, 3)
    if how == "is killed":  # as a browser does that is short of memory: nobody is told
        page.evaluate("workers[0].constructor.prototype.__proto__.terminate.call(workers[0])")
    page.clock.run_for(20_000)
    expect(root(page)).to_have_attribute("data-state", "running")  # slow is not lost
    page.clock.run_for(8_000)
    assert_recorded(page, "The network has stopped answering: press Restart to try again.")
    assert page.evaluate("workers.length") == 0
    page.get_by_role("button", name="New seed").click()
    generate(page).click()
    finish(page)
    restart(page)
    finish(page)


def test_a_network_that_is_paused_is_not_given_up(opened: Any, page: Page) -> None:
    page.clock.install()
    opened(fake(steps=100), pace=20)
    generate(page).click()
    step_reached(page, 3)
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(600_000)
    page.get_by_role("button", name="One step").click()
    page.clock.run_for(600_000)
    expect(root(page)).to_have_attribute("data-state", "running")
    page.get_by_role("button", name="Resume").click()
    finish(page)
    page.clock.run_for(600_000)
    assert root(page).get_attribute("data-state") == "done"


def test_a_worker_that_never_starts_is_given_up(opened: Any, page: Page) -> None:
    page.add_init_script(WORKERS)
    page.clock.install()
    opened(fake(), mute=True)
    generate(page).click()
    page.wait_for_function("workers.length === 1")
    page.clock.run_for(31_000)
    assert_recorded(page, "The network did not start within half a minute")
    restart(page)
    expect(root(page)).to_have_attribute("data-state", "loading")
    page.wait_for_function("workers.length === 1")


def test_weights_that_do_not_come_are_given_up_and_may_come_later(opened: Any, page: Page) -> None:
    waiting: list[Any] = []
    page.route(f"**/{WEIGHTS}", lambda route: waiting.append(route))
    page.clock.install()
    opened(fake())
    generate(page).click()
    page.wait_for_function("document.querySelector('script[src]')")
    page.clock.run_for(121_000)
    assert_recorded(page, "The network's weights have not come within two minutes")
    restart(page)
    expect(root(page)).to_have_attribute("data-state", "loading")
    waiting[0].continue_()
    finish(page)


def test_who_cancels_before_the_weights_come_hears_of_no_error(opened: Any, page: Page) -> None:
    page.clock.install()
    opened(fake(), mute=True)
    generate(page).click()
    page.wait_for_function("document.querySelector('script[src]')")
    page.get_by_role("button", name="Cancel").click()
    page.clock.run_for(600_000)
    assert root(page).get_attribute("data-state") == "idle"
    assert page.locator(".ddpm-status").inner_text() == "Stopped."
