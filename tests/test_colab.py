"""A chapter in a stand-in for Colab, which opens a notebook alone: its set-up cell, its run, its widgets in a frame."""

import html
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.colab_standin import StandIn
from tests.widget_page import SETUP, WIDGETS, moved
from tools.address import Address
from tools.colab import first_code_cell, stamp
from tools.plain.copies import copies
from tools.plain.places import Course

pytestmark = [pytest.mark.colab, pytest.mark.pages]

ROOT = Path(__file__).parent.parent
CHAPTER = Path("book/posterior.ipynb")  # a light one, with a widget
NEW = {"anywidget", "ddpm-lib", "jaxtyping", "psygnal", "wadler-lindig"}
# Colab shows an output in a frame of another origin, which runs scripts and may do little else.
FRAME = '<iframe sandbox="allow-scripts" width="1000" height="900" srcdoc="{}"></iframe>'


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return StandIn(tmp_path_factory.mktemp("colab"))


@pytest.fixture
def _kernels(colab: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(colab.folder / "share" / "jupyter"))


def copy(requirement: str) -> Any:
    """The chapter as Colab opens it."""
    course = Course(ROOT, Address("https://github.com/someone/course", "main").site)
    return stamp(copies(course)[CHAPTER], requirement)


@pytest.mark.usefixtures("_kernels")
def test_a_failed_install_ends_in_one_sentence(colab: StandIn, tmp_path: Path) -> None:
    chapter = copy(f"git+{(tmp_path / 'nowhere').as_uri()}@main")
    chapter["cells"] = [first_code_cell(chapter)]
    *_, error = colab.execute(chapter, tmp_path, allow_errors=True).cells[0].outputs
    assert error.output_type == "error"
    assert error.traceback == [error.evalue]
    assert "nowhere@main, for the reason that pip gives above" in error.evalue


@pytest.mark.usefixtures("_kernels")
def test_a_chapter_alone_installs_the_course_runs_and_its_widgets_move(
    colab: StandIn, page: Page, tmp_path: Path
) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    before = colab.installed()
    assert before["ipywidgets"] == "7.7.1"
    assert not NEW & set(before)
    # Before it is done: what is linked here would be replaced at its own place.
    assert colab.would_install(str(wheel)) == NEW

    chapter = copy(str(wheel))
    for source in [SETUP, *(f"{name} = {made}\n{name}" for name, made in WIDGETS.items())]:
        chapter["cells"].append(nbformat.v4.new_code_cell(source))
    (tmp_path / "empty").mkdir()
    ran = colab.execute(chapter, tmp_path / "empty")

    after = colab.installed()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == NEW
    where = colab.run("-c", "import ddpm_lib; print(ddpm_lib.__file__)")
    assert Path(where.strip()).is_relative_to(colab.site)

    outputs = [output.data for cell in ran.cells for output in cell.get("outputs", []) if "data" in output]
    assert not [data for data in outputs if "application/vnd.jupyter.widget-view+json" in data]
    shown = [data["text/html"] for data in outputs if "ddpm-host" in data.get("text/html", "")]
    assert len(shown) == 1 + len(WIDGETS)
    page.set_content("\n".join(FRAME.format(html.escape(each)) for each in shown))
    for i in range(len(shown)):
        widget = page.frame_locator("iframe").nth(i).locator(".ddpm-widget")
        expect(widget).to_be_visible()
        moved(widget)
