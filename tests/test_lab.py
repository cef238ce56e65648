"""The widgets in a real JupyterLab: moved from the keyboard, read from Python, saved, reopened without their kernel.

Needs JupyterLab 4, which is no part of the course: the command `jupyter-lab` on the path, or named by JUPYTER_LAB. The
kernel is this interpreter, and its share/jupyter holds the live widgets' own scripts.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.widget_page import SETUP, WIDGETS

pytestmark = [pytest.mark.lab, pytest.mark.pages]

ROOT = Path(__file__).parent.parent
# Runs code in the notebook's own kernel: what it prints.
ASK = """async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code });
  let said = "";
  future.onIOPub = ({ header, content }) => (said += header.msg_type === "stream" ? content.text : "");
  await future.done;
  return said;
}"""
COMMAND = "(name) => jupyterapp.commands.execute(name)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab whose folder holds a notebook with all seven widgets, and that folder."""
    command = os.environ.get("JUPYTER_LAB") or shutil.which("jupyter-lab")
    assert command, (
        "No JupyterLab was found: `pip install 'jupyterlab==4.*'` in an environment of its own, name its "
        "jupyter-lab in JUPYTER_LAB, and try again."
    )
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "course",
    }
    (home / "kernels" / "course").mkdir(parents=True)
    (home / "kernels" / "course" / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))
    cells = [nbformat.v4.new_code_cell(SETUP)]
    cells += [nbformat.v4.new_code_cell(f"{name} = {made}\n{name}") for name, made in WIDGETS.items()]
    book = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "course", "display_name": "course"}}
    )
    nbformat.write(book, folder / "widgets.ipynb")
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": f"{home}{os.pathsep}{Path(sys.prefix) / 'share' / 'jupyter'}",
        **{f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")},
    }
    options = [
        "--no-browser",
        "--allow-root",
        "--port=0",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
    ]
    options += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    running = subprocess.Popen([command, *options], env=environ, stderr=subprocess.PIPE, text=True)
    assert running.stderr
    address = next(
        (found[0] for line in running.stderr if (found := re.search(r"http://localhost:\d+/", line))), ""
    )
    assert address, "JupyterLab did not start."
    yield address, folder
    running.terminate()
    running.wait()


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.goto(f"{address}lab/tree/widgets.ipynb?reset")
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel", timeout=120_000
    )
    return page


def cell(page: Page, i: int) -> Locator:
    """The i-th widget's cell, brought onto the screen: Lab draws no other."""
    page.evaluate("(i) => jupyterapp.shell.currentWidget.content.scrollToItem(i)", i + 1)
    return page.locator(f".jp-Cell[data-windowed-list-index='{i + 1}']")


def moved_by_keys(page: Page, widget: Locator) -> None:
    """Every slider and every choice of a widget answers to the arrow keys, and Lab does not."""
    before = page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
    sliders = [s for s in widget.get_by_role("slider").all() if s.is_visible() and s.is_enabled()]
    for slider in sliders:
        seen = {slider.input_value()}
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowDown"):
            slider.press(key)
            seen.add(slider.input_value())
        assert len(seen) > 1, slider.get_attribute("aria-label")
    for group in widget.get_by_role("radiogroup").all():
        group.get_by_role("radio", checked=True).press("ArrowDown")
    assert page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex") == before


def test_the_widgets_live_in_a_real_lab_and_in_its_saved_notebook(browser: Browser, lab: Any) -> None:
    address, folder = lab
    page = opened(browser, address)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.evaluate(COMMAND, "notebook:run-all-cells")
    page.evaluate(ASK, "pass")  # and so after all cells
    for i, name in enumerate(WIDGETS):
        widget = cell(page, i).locator(".ddpm-widget").first
        expect(widget).to_be_visible(timeout=60_000)
        expect(cell(page, i).locator(".ddpm-host")).not_to_be_visible()
        widget.click(position={"x": 2, "y": 2})
        before = page.evaluate(ASK, f"print({name})")
        moved_by_keys(page, widget)
        assert page.evaluate(ASK, f"print({name})") != before, name
    page.evaluate(ASK, "scrub.t = 123")
    expect(cell(page, 0).get_by_role("slider").first).to_have_attribute("aria-valuetext", "t = 123 of 500")
    page.evaluate(COMMAND, "docmanager:save")
    page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    page.context.close()
    assert "ddpm-host" in (folder / "widgets.ipynb").read_text(encoding="utf-8")
    # The next day.
    page = opened(browser, address)
    for i in range(len(WIDGETS)):
        widget = cell(page, i).locator(".ddpm-host .ddpm-widget")
        expect(widget).to_be_visible(timeout=60_000)
        expect(cell(page, i).get_by_text("model not found")).not_to_be_visible()
        widget.click(position={"x": 2, "y": 2})
        moved_by_keys(page, widget)
    page.context.close()
    assert not complaints
