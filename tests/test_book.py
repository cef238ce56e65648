"""A small course of its own: each chapter executed once, what is reused, what a failure costs, what a page shows."""

import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools import executed
from tools.progress import EVERY, Progress

ROOT = Path(__file__).resolve().parent.parent

CONFIG = """\
title: A small course
only_build_toc_files: true
execute:
  execute_notebooks: "off"
sphinx:
  local_extensions:
    tools.sphinx_outputs: "."
  config:
    extensions: [sphinx_comments, myst_nb, jupyter_book, sphinx_external_toc, sphinx_book_theme, tools.sphinx_outputs]
    nb_merge_streams: true
"""
SHOWN = """\
from IPython.display import display
place = display("wait" + "ing", display_id=True)
print("a line")
place.update("forty" + "-two")
"""
DRAWN = {"mystnb": {"image": {"alt": "A straight line"}}, "tags": ["hide-input"]}
CHAPTERS = {
    "first": [("shown", SHOWN), ("drawn", "import matplotlib.pyplot as plt\n_ = plt.plot([0, 1])")],
    "second": [
        ("fine", "print(6 * 7)"),
        ("broken", "raise ValueError('no such thing')"),
        ("never", "print(1)"),
    ],
    "third": [("last", "from pathlib import Path\nprint(Path.cwd().name)")],
}


def write(course: Path, name: str, cells: list[tuple[str, str]], prose: str = "Some prose.") -> None:
    """Write a chapter; a cell that draws says what the picture shows."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_markdown_cell(f"# The {name}\n\n{prose}", id="title")]
    for key, code in cells:
        metadata = DRAWN if key == "drawn" else {}
        notebook.cells.append(nbformat.v4.new_code_cell(code, id=key, metadata=metadata))
    nbformat.write(notebook, course / "book" / f"{name}.ipynb")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "book").mkdir()
    (tmp_path / "ddpm_lib").mkdir()
    (tmp_path / "ddpm_lib" / "library.py").write_text("x = 1\n")
    (tmp_path / "_config.yml").write_text(CONFIG)
    toc = "format: jb-book\nroot: book/first\nchapters:\n  - file: book/second\n  - file: book/third\n"
    (tmp_path / "_toc.yml").write_text(toc)
    for name, cells in CHAPTERS.items():
        write(tmp_path, name, cells)
    return tmp_path


def run(course: Path, tool: str, *options: str) -> tuple[int, str]:
    """Run a tool on the small course; its status, and what it printed."""
    command = [sys.executable, "-m", f"tools.{tool}", "--root", str(course), *options]
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def outputs(course: Path, name: str) -> dict[str, Any]:
    """What the cells of an executed chapter put out, by cell."""
    notebook = executed.read(course / "_build" / "executed" / "book" / f"{name}.ipynb")
    return {cell.id: cell.outputs for cell in executed.code_cells(notebook)}


def text_of(course: Path, name: str) -> str:
    return (course / "_build" / "html" / "book" / f"{name}.html").read_text()


@pytest.mark.slow
def test_a_failure_names_its_cell_and_takes_nothing_with_it(course: Path) -> None:
    status, printed = run(course, "book")
    assert status == 1
    assert "book/second FAILED at cell broken (code cell 1): ValueError: no such thing" in printed
    assert "make book KEEP_GOING=1" in printed
    assert not (course / "_build" / "html").exists()
    assert [output["text"] for output in outputs(course, "third")["last"]] == ["book\n"]
    kept = outputs(course, "second")
    assert kept["fine"][0]["text"] == "42\n"
    assert kept["broken"][0]["ename"] == "ValueError"
    assert kept["never"] == []

    status, printed = run(course, "book", "--keep-going")
    assert status == 0
    assert "taken as they are: book/first, book/third" in printed
    assert "without the results of book/second, which FAILED at cell broken" in printed
    assert "the cell above failed" in text_of(course, "second")
    assert "42" in text_of(course, "second")
    first = text_of(course, "first")
    assert "forty-two" in first
    assert "waiting" not in first
    assert 'alt="A straight line"' in first
    assert "tag_hide-input" in first

    write(course, "second", [("fine", "print(7 * 8)")])
    status, printed = run(course, "book")
    assert status == 0
    assert "executing 1 of 3 chapters" in printed
    assert "56" in text_of(course, "second")
    assert "the cell above failed" not in text_of(course, "second")


def test_only_what_changed_runs_again(course: Path) -> None:
    write(course, "second", [("fine", "print(6 * 7)")])
    assert run(course, "execute")[0] == 0
    notebooks = [course / "book" / f"{name}.ipynb" for name in CHAPTERS]

    def current() -> list[bool]:
        executed.environment.cache_clear()
        return [executed.is_current(notebook, course) for notebook in notebooks]

    assert current() == [True, True, True]
    write(course, "second", [("fine", "print(6 * 7)")], prose="Better prose.")
    assert current() == [True, True, True]
    shown = executed.page(notebooks[1], course)
    assert "Better prose." in shown.cells[0].source
    assert shown.cells[1].outputs[0].text == "42\n"
    assert shown.cells[-1].source.startswith(f'<p class="last-run">Last run: {datetime.now(UTC):%Y-%m}')
    assert f"Python {platform.python_version()}, torch {version('torch')}" in shown.cells[-1].source
    write(course, "second", [("fine", "print(6 * 8)")])
    assert current() == [True, False, True]
    for changed in (course / "ddpm_lib" / "library.py", course / "constraints.txt"):
        write(course, "second", [("fine", "print(6 * 7)")])
        before = changed.read_text() if changed.exists() else ""
        changed.write_text(before + "\n")
        assert current() == [False, False, False]
        changed.write_text(before) if before else changed.unlink()
        assert current() == [True, True, True]

    status, printed = run(course, "execute")
    assert status == 0
    assert "executing" not in printed
    status, printed = run(course, "execute", "--all")
    assert status == 0
    assert "executing 3 of 3 chapters" in printed
    assert "taken as they are" not in printed


LIMITED = """\
import sys
from pathlib import Path
from tools import kernel
kernel.CELL_LIMIT = 2
from tools.execute import execute
for name, failure in execute(Path(sys.argv[1])).items():
    print(f"{name}: {failure.error}")
"""


def test_a_cell_past_the_limit_is_stopped_and_a_dead_kernel_noticed(course: Path) -> None:
    write(course, "first", [("endless", "import time\nprint('before', flush=True)\ntime.sleep(1000)")])
    write(course, "second", [("killed", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")])
    command = [sys.executable, "-c", LIMITED, str(course)]
    printed = subprocess.run(command, cwd=ROOT, text=True, capture_output=True).stdout
    assert "book/first: KeyboardInterrupt" in printed
    assert "book/second: the kernel died" in printed
    assert outputs(course, "first")["endless"][0]["text"] == "before\n"
    assert outputs(course, "third")["last"][0]["text"] == "book\n"


def test_progress_names_the_chapter_its_seconds_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress({"book/one": None, "book/two": 60.0, "book/three": 120.0})
    progress.begin("book/one", cells=4)
    progress.cell("book/one", 1, "slow")
    now[0] = EVERY - 1
    progress.tick("book/one")
    assert capsys.readouterr().out == "[ 1/3] book/one (4 cells) ...\n"
    now[0] = EVERY + 1
    progress.tick("book/one")
    line = "[ 1/3] book/one: cell 2 of 4 (slow), 31 s so far; 2 left, about 3 min\n"
    assert capsys.readouterr().out == line
    progress.end("book/one", 31.0)
    progress.begin("book/two", cells=2)
    assert "60 s the last time" in capsys.readouterr().out
    progress.end("book/two", 5.0, failure="cell fine (code cell 0): ValueError")
    assert "FAILED after 5 s at cell fine" in capsys.readouterr().out
