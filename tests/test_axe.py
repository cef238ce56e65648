"""What the pages' tests skip in looking for contrast: only what is like something that was looked at."""

import pytest
from playwright.sync_api import Browser

from tests.axe import violations

ROWS = "<!doctype html><html lang=en><title>t</title><main><h1>h</h1>{}</main>"
PLAIN = "<p>Words in black on white.</p>"
PALE = {
    "a color of its own": "<p style='color: #ccc'>Words in gray on white.</p>",
    "a word in what is like others": "<p>Words in <b style='color: #ccc'>gray</b> on white.</p>",
    "a ground of its own": "<div style='background: #333'><p>Words in black on gray.</p></div>",
    "what lets the ground through": "<div style='opacity: 0.2'><p>Words in pale black.</p></div>",
    "larger letters elsewhere": "<p style='color: #888; font-size: 40px'>Large.</p><p style='color: #888'>Small.</p>",
    "a link among many": "<p>Words and <a href='#a' style='color: #020202; text-decoration: none'>a link</a>.</p>",
}


@pytest.mark.parametrize("pale", PALE.values(), ids=PALE.keys())
def test_what_cannot_be_read_is_found_among_much_that_can(browser: Browser, pale: str) -> None:
    page = browser.new_page()
    page.set_content(ROWS.format(PLAIN * 10 + pale + PLAIN * 10))
    found = violations(page, others=False)
    page.set_content(ROWS.format(PLAIN * 20))
    clean = violations(page)
    page.close()
    assert len(found) == 1
    assert clean == []
