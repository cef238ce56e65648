"""The build's own logic: what Colab is given, what is pinned, which port is taken."""

import ast
import html
import json
import re
import types
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.address import Address
from tools.colab import CELL, UNSTAMPED, stamp, stamp_all, sync
from tools.constraints import constraints
from tools.highlight import LightFormatter
from tools.notebook import first_code_cell, source
from tools.serve import server
from tools.sphinx_course import network_for_pages


def notebook(*sources: str) -> dict[str, Any]:
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# A chapter"]}
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": text,
        }
        for i, text in enumerate(sources)
    ]
    return {"cells": [title, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_the_set_up_cell_is_python_and_names_no_address() -> None:
    ast.parse(CELL)
    assert CELL.count(UNSTAMPED) == 1
    assert "://" not in CELL


def test_sync_inserts_then_leaves_alone() -> None:
    chapter = notebook("x = 1")
    assert sync(chapter)
    assert [cell["id"] for cell in chapter["cells"]] == ["title", "colab-setup", "c0"]
    assert not sync(chapter)
    chapter["cells"][1]["source"] = "old"
    assert sync(chapter)
    assert len(chapter["cells"]) == 3


def test_stamping_changes_the_address_alone() -> None:
    chapter = notebook(CELL, "x = 1")
    stamped = stamp(chapter, "git+https://github.com/a/b@main")
    cell = first_code_cell(stamped)
    assert cell is not None
    assert 'COURSE = "git+https://github.com/a/b@main"' in source(cell)
    assert source(cell).replace('COURSE = "git+https://github.com/a/b@main"', UNSTAMPED) == CELL
    assert stamped["metadata"]["accelerator"] == "GPU"
    assert stamped["cells"][2] == chapter["cells"][2]
    assert source(chapter["cells"][1]) == CELL, "the notebook itself was changed"
    with pytest.raises(ValueError, match="--sync"):
        stamp(notebook("x = 1"), "git+https://github.com/a/b@main")


def test_stamped_notebooks_keep_their_paths(tmp_path: Path) -> None:
    (tmp_path / "book" / "part").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text("root: book/part/chapter\n")
    (tmp_path / "book" / "part" / "chapter.ipynb").write_text(json.dumps(notebook(CELL)))
    (written,) = stamp_all(Address("https://github.com/a/b", "main"), out=tmp_path / "out", root=tmp_path)
    assert written == tmp_path / "out" / "book" / "part" / "chapter.ipynb"
    assert "github.com/a/b@main" in written.read_text()


def run_cell(text: str, monkeypatch: pytest.MonkeyPatch, present: bool, status: int = 0) -> list[list[str]]:
    """Run the set-up cell with ddpm_lib present or missing; return the commands it ran."""
    ran: list[list[str]] = []

    def run(command: list[str]) -> types.SimpleNamespace:
        ran.append(command)
        return types.SimpleNamespace(returncode=status)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if present else None)
    monkeypatch.setattr("subprocess.run", run)
    exec(compile(text, "set-up", "exec"), {})
    return ran


def test_the_set_up_cell_installs_only_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    stamped = CELL.replace(UNSTAMPED, 'COURSE = "git+https://github.com/a/b@main"')
    assert run_cell(stamped, monkeypatch, present=True) == []
    assert run_cell(CELL, monkeypatch, present=True) == []
    (command,) = run_cell(stamped, monkeypatch, present=False)
    assert command[1:] == ["-m", "pip", "install", "--quiet", "git+https://github.com/a/b@main"]
    with pytest.raises(ModuleNotFoundError, match="Colab button"):
        run_cell(CELL, monkeypatch, present=False)


def test_a_failed_install_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    stamped = CELL.replace(UNSTAMPED, 'COURSE = "git+https://github.com/a/b@main"')
    with pytest.raises(ModuleNotFoundError, match="could not be installed") as error:
        run_cell(stamped, monkeypatch, present=False, status=1)
    # What a notebook shows: IPython asks the exception first.
    assert error.value._render_traceback_() == [str(error.value)]
    assert "git+https://github.com/a/b@main" in str(error.value)
    assert "run this cell again" in str(error.value)
    assert error.value.__context__ is None


def test_constraints_leave_out_direct_and_machine_dependent_packages() -> None:
    freeze = "torch==2.0+cpu\nnvidia-cudnn-cu13==9\ntriton==3\nzipp==4\nA_b==1\nlocal==1+z\n"
    freeze += "ddpm-lib @ file:///x\n-e git+https://example.org/y"
    assert constraints(freeze, "# why\ntorch==2.0  # tensors\na-b==1\n") == ["local==1", "zipp==4"]


def test_the_server_takes_the_next_free_port_and_serves_this_machine_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page")
    with server(tmp_path) as first, server(tmp_path, first.server_address[1]) as second:
        assert second.server_address[1] > first.server_address[1]
        assert second.server_address[0] == "127.0.0.1"
        Thread(target=second.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{second.server_address[1]}/") as answer:
            assert answer.read() == b"a page"
        second.shutdown()


def test_code_keeps_its_text_and_its_colors_without_a_span_around_every_name() -> None:
    code = "import torch\n\n\ndef f(x):\n    return x.sqrt() + 1  # a comment\n"
    light, full = (highlight(code, PythonLexer(), kind()) for kind in (LightFormatter, HtmlFormatter))
    assert re.sub("<[^>]*>", "", light) == re.sub("<[^>]*>", "", full)
    kinds = {
        name: set(re.findall('class="([a-z0-9]+)"', page))
        for name, page in (("light", light), ("full", full))
    }
    assert kinds["full"] - kinds["light"] == {"n", "nn", "o", "p", "w"}
    assert {"k", "nf", "mi", "c1"} <= kinds["light"]
    assert len(light) < 0.85 * len(full)


def test_a_long_line_knows_its_indent_and_its_text_stays() -> None:
    code = f"def f(x):\n    return {' + '.join(['x'] * 30)}  # <long>\n\n    # short\n"
    page = highlight(code, PythonLexer(), LightFormatter())
    (long,) = re.findall(r'<span class="long" style="--indent:(\d+)">    <span class="k">return', page)
    assert long == "4"
    assert page.count('class="long"') == 1
    assert html.unescape(re.sub("<[^>]*>", "", page)).strip() == code.strip()


def test_a_finished_build_holds_the_network_that_its_pages_run(tmp_path: Path) -> None:
    for builder, made in (("latex", False), ("html", True)):
        app = types.SimpleNamespace(builder=types.SimpleNamespace(format=builder), outdir=str(tmp_path))
        network_for_pages(app, exception=None)
        assert (tmp_path / "_static" / "generate-weights.js").is_file() == made
    text = (tmp_path / "_static" / "generate-weights.js").read_text(encoding="utf-8")
    engine, weights = (json.loads(line[line.index("{ detail: ") + 10 : -5]) for line in text.splitlines())
    assert "onmessage" in engine
    assert weights["T"] == 500
    script = (tmp_path / "_static" / "train-digits.js").read_text(encoding="utf-8")
    digits = json.loads(script[script.index("{ detail: ") + 10 : -5])
    assert (digits["side"], digits["levels"], len(digits["classes"])) == (28, 16, 10)
