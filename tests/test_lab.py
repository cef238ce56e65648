"""The widgets in a real JupyterLab: moved from the keyboard, read from Python, saved, reopened without their kernel.

And what else a reader does there: read a chapter's plain copy, hand on a page. JupyterLab 4 is no part of the course:
`make lab` installs it apart, and names its folder of commands in JUPYTER_BIN. The kernel is this interpreter, whose
share/jupyter holds the live widgets' own scripts.
"""

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.lab import ASK, COMMAND, README, cell, command, moved_by_keys, opened, told
from tests.lab import complaints as complaints
from tests.lab import environ as environ
from tests.lab import folder as folder
from tests.lab import lab as lab
from tests.widget_page import WIDGETS, moved

pytestmark = [pytest.mark.lab, pytest.mark.pages]


def test_the_widgets_live_in_a_real_lab_and_in_its_saved_notebook(
    browser: Browser, lab: str, folder: Path, complaints: list[str]
) -> None:
    page = opened(browser, lab, complaints)
    page.evaluate(COMMAND, "notebook:run-all-cells")
    page.evaluate(ASK, "pass")  # and so after all cells
    for i, name in enumerate(WIDGETS):
        widget = cell(page, i).locator(".ddpm-widget").first
        expect(widget).to_be_visible()
        expect(cell(page, i).locator(".ddpm-host")).not_to_be_visible()
        widget.click(position={"x": 2, "y": 2})
        before = page.evaluate(ASK, f"print({name})")
        moved_by_keys(page, widget)
        told(page, name, before)
    page.evaluate(ASK, "scrub.t = 123")
    expect(cell(page, 0).get_by_role("slider").first).to_have_attribute("aria-valuetext", "t = 123 of 500")
    page.evaluate(COMMAND, "docmanager:save")
    page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    page.context.close()
    assert "ddpm-host" in (folder / "widgets.ipynb").read_text(encoding="utf-8")
    # The next day.
    page = opened(browser, lab, complaints)
    for i in range(len(WIDGETS)):
        widget = cell(page, i).locator(".ddpm-host .ddpm-widget")
        expect(widget).to_be_visible()
        expect(cell(page, i).get_by_text("model not found")).not_to_be_visible()
        widget.click(position={"x": 2, "y": 2})
        moved_by_keys(page, widget)
    page.context.close()


def test_a_plain_copy_is_read_in_lab_as_in_the_book(
    browser: Browser, lab: str, complaints: list[str]
) -> None:
    page = opened(browser, lab, complaints, "plain/posterior.ipynb")
    text = page.locator(".jp-RenderedMarkdown")
    expect(text.get_by_role("link", name="(1.6)", exact=True).first).to_be_visible()
    expect(page.locator("mjx-mlabeledtr").first).to_be_attached()  # a formula with a number
    assert not re.search(r"\{\w+(:\w)?\}`|\(eq-", " ".join(text.all_inner_texts()))
    # Within the notebook a heading's link finds what Lab calls it, and to another chapter, that chapter.
    for link in text.locator("a[href^='#']:not(.jp-InternalAnchorLink)").all():
        heading = (link.get_attribute("href") or "").removeprefix("#")
        expect(page.locator(f'[data-jupyter-id="{heading}"]')).to_be_attached()
    text.get_by_role("link", name="the forward chain").first.click()
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.path === 'plain/forward.ipynb'")
    page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    page.context.close()


def test_the_page_that_nbconvert_makes_moves_without_a_network(
    browser: Browser, environ: dict[str, str], folder: Path
) -> None:
    """By README's own command."""
    (line,) = re.findall(
        r"^jupyter nbconvert (.+) \S+\.ipynb$", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    making = [command("jupyter-nbconvert"), *line.split(), "--output-dir", str(folder), "widgets.ipynb"]
    subprocess.run(making, cwd=folder, env=environ, check=True, capture_output=True)
    assert "widget-state+json" not in (folder / "widgets.html").read_text(encoding="utf-8")
    page = browser.new_context(offline=True).new_page()
    page.goto((folder / "widgets.html").as_uri())
    for widget in page.locator(".ddpm-host .ddpm-widget").all():
        expect(widget).to_be_visible()
        moved(widget)
    assert page.locator(".ddpm-host .ddpm-widget").count() == len(WIDGETS)
    page.context.close()
