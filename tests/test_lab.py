"""The widgets in a real JupyterLab: moved from the keyboard, read from Python, saved, reopened without their kernel.

And what else a reader does there: read a chapter's plain copy, hand on a page. JupyterLab 4 is no part of the course:
`make lab` installs it apart, and names its folder of commands in JUPYTER_BIN. The kernel is this interpreter, whose
share/jupyter holds the live widgets' own scripts.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.widget_page import SETUP, WIDGETS, moved
from tools.plain.copies import write_all
from tools.plain.places import Course

pytestmark = [pytest.mark.lab, pytest.mark.pages]

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
# Runs code in the notebook's own kernel: what it prints.
ASK = """async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code });
  let said = "";
  future.onIOPub = ({ header, content }) => (said += header.msg_type === "stream" ? content.text : "");
  await future.done;
  return said;
}"""
PATIENCE = 120_000  # ms that anything may take to appear, on however slow a machine
COMMAND = "(name) => jupyterapp.commands.execute(name)"


def command(name: str) -> str:
    """The path of one of Jupyter's commands."""
    found = shutil.which(name, path=os.environ.get("JUPYTER_BIN"))
    assert found, f"There is no {name}: `make lab` installs JupyterLab apart and runs these tests with it."
    return found


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Jupyter keeps to itself and knows two kernels, both this interpreter."""
    home = tmp_path_factory.mktemp("home")
    for name in ("course", "python3"):
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
        }
        (home / "kernels" / name).mkdir(parents=True)
        (home / "kernels" / name / "kernel.json").write_text(json.dumps(spec))
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": f"{home}{os.pathsep}{Path(sys.prefix) / 'share' / 'jupyter'}",
        **{f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a notebook of all nine widgets, and the plain copies of the chapters."""
    folder = tmp_path_factory.mktemp("notebooks")
    cells = [nbformat.v4.new_code_cell(SETUP)]
    cells += [nbformat.v4.new_code_cell(f"{name} = {made}\n{name}") for name, made in WIDGETS.items()]
    book = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "course", "display_name": "course"}}
    )
    nbformat.write(book, folder / "widgets.ipynb")
    write_all(Course(ROOT), folder / "plain")
    return folder


@pytest.fixture(scope="module")
def lab(environ: dict[str, str], folder: Path) -> Iterator[str]:
    """The address of a JupyterLab in that folder."""
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    options += ["--LabApp.news_url=None"]
    running = subprocess.Popen(
        [command("jupyter-lab"), *options], env=environ, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr
    address = next(
        (found[0] for line in running.stderr if (found := re.search(r"http://localhost:\d+/", line))), ""
    )
    assert address, "JupyterLab did not start."
    Thread(target=running.stderr.read, daemon=True).start()  # a full pipe would stop it
    yield address
    running.terminate()
    running.wait()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What a console says of errors: nothing, but where a kernel is gone ipywidgets' own word that it looked for it."""
    found: list[str] = []
    yield found
    assert not [said for said in found if not said.startswith("Error: widget model not found\n")]


def opened(browser: Browser, address: str, complaints: list[str], name: str = "widgets.ipynb") -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{address}lab/tree/{name}?reset")
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel", timeout=PATIENCE
    )
    return page


def cell(page: Page, i: int) -> Locator:
    """The i-th widget's cell, brought onto the screen: Lab draws no other."""
    page.evaluate("(i) => jupyterapp.shell.currentWidget.content.scrollToItem(i)", i + 1)
    return page.locator(f".jp-Cell[data-windowed-list-index='{i + 1}']")


def moved_by_keys(page: Page, widget: Locator) -> None:
    """The widget answers to the arrow keys, and Lab does not."""
    before = page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
    moved(widget)
    assert page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex") == before


def told(page: Page, name: str, before: str) -> None:
    """The kernel hears of the move, which it may after a question that was asked at once."""
    end = time.monotonic() + PATIENCE / 1000
    while (now := page.evaluate(ASK, f"print({name})")) == before and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert now != before, name


def test_the_widgets_live_in_a_real_lab_and_in_its_saved_notebook(
    browser: Browser, lab: str, folder: Path, complaints: list[str]
) -> None:
    page = opened(browser, lab, complaints)
    page.evaluate(COMMAND, "notebook:run-all-cells")
    page.evaluate(ASK, "pass")  # and so after all cells
    for i, name in enumerate(WIDGETS):
        widget = cell(page, i).locator(".ddpm-widget").first
        expect(widget).to_be_visible(timeout=PATIENCE)
        expect(cell(page, i).locator(".ddpm-host")).not_to_be_visible(timeout=PATIENCE)
        widget.click(position={"x": 2, "y": 2})
        before = page.evaluate(ASK, f"print({name})")
        moved_by_keys(page, widget)
        told(page, name, before)
    page.evaluate(ASK, "scrub.t = 123")
    expect(cell(page, 0).get_by_role("slider").first).to_have_attribute(
        "aria-valuetext", "t = 123 of 500", timeout=PATIENCE
    )
    page.evaluate(COMMAND, "docmanager:save")
    page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    page.context.close()
    assert "ddpm-host" in (folder / "widgets.ipynb").read_text(encoding="utf-8")
    # The next day.
    page = opened(browser, lab, complaints)
    for i in range(len(WIDGETS)):
        widget = cell(page, i).locator(".ddpm-host .ddpm-widget")
        expect(widget).to_be_visible(timeout=PATIENCE)
        expect(cell(page, i).get_by_text("model not found")).not_to_be_visible(timeout=PATIENCE)
        widget.click(position={"x": 2, "y": 2})
        moved_by_keys(page, widget)
    page.context.close()


def test_a_plain_copy_is_read_in_lab_as_in_the_book(
    browser: Browser, lab: str, complaints: list[str]
) -> None:
    page = opened(browser, lab, complaints, "plain/posterior.ipynb")
    text = page.locator(".jp-RenderedMarkdown")
    expect(text.get_by_role("link", name="(1.6)", exact=True).first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("mjx-mlabeledtr").first).to_be_attached(timeout=PATIENCE)  # a formula with a number
    assert not re.search(r"\{\w+(:\w)?\}`|\(eq-", " ".join(text.all_inner_texts()))
    # Within the notebook a heading's link finds what Lab calls it, and to another chapter, that chapter.
    for link in text.locator("a[href^='#']:not(.jp-InternalAnchorLink)").all():
        heading = (link.get_attribute("href") or "").removeprefix("#")
        expect(page.locator(f'[data-jupyter-id="{heading}"]')).to_be_attached(timeout=PATIENCE)
    text.get_by_role("link", name="the forward chain").first.click()
    page.wait_for_function(
        "jupyterapp.shell.currentWidget?.context?.path === 'plain/forward.ipynb'", timeout=PATIENCE
    )
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
    page.set_default_timeout(PATIENCE)
    page.goto((folder / "widgets.html").as_uri())
    for widget in page.locator(".ddpm-host .ddpm-widget").all():
        expect(widget).to_be_visible(timeout=PATIENCE)
        moved(widget)
    assert page.locator(".ddpm-host .ddpm-widget").count() == len(WIDGETS)
    page.context.close()
