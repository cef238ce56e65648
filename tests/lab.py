"""A JupyterLab that the tests start, and what they open and run in it."""

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
from playwright.sync_api import Browser, Locator, Page

from tests.browser import PATIENCE
from tests.widget_page import SETUP, WIDGETS, moved
from tools.plain.copies import write_all
from tools.plain.places import Course

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
    """A folder with a notebook of all twelve widgets, and the plain copies of the chapters."""
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
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{address}lab/tree/{name}?reset")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
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
