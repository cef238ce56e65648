"""Hostile names in what is written for others: pages, exports, readmes, folders."""

from __future__ import annotations

import html
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ddpm_lib import class_names, load, shown
from ddpm_lib.__main__ import main
from ddpm_lib.web.export import AFTER, BEFORE, read_web, web_script
from ddpm_lib.widgets import GenerateWidget
from tests.nasty import ALL, CORPUS, HOSTILE, assert_plain, checkpoint
from tests.nasty import file as file
from tests.tiny import CPU, pictures, train
from tests.tiny import tiny as tiny


class Tags(HTMLParser):
    """The elements and attributes that a browser would make."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        """Note it."""
        self.found.append((tag, sorted(key for key, _ in attributes)))


@HOSTILE
def test_a_page_runs_no_name(name: str) -> None:
    made = checkpoint(name)
    script = web_script(made)
    assert "<" not in script
    assert script.isascii()
    assert script.count("\n") == 1
    assert json.loads(script[len(BEFORE) : -len(AFTER)])["about"]["data"] == made.about.data


@HOSTILE
def test_a_widget_s_html_has_the_elements_that_it_always_has(name: str) -> None:
    widget, usual = GenerateWidget(checkpoint(name)), GenerateWidget(checkpoint("usual"))
    page = widget.to_html()
    assert Tags(page).found == Tags(usual.to_html()).found
    state = json.loads(html.unescape(re.findall(r'data-ddpm-state="([^"]*)"', page)[0]))
    assert state["labels"][0] == class_names([name])[0]
    assert repr(widget).isprintable()
    assert page.encode("utf-8", "strict")


@pytest.mark.parametrize("name", [ALL], ids=["all"])
def test_an_export_s_files_hold_it_as_text(name: str, file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = file.with_name("model.js")
    assert main(["export", str(file), "--web", "--out", str(out)]) == 0
    assert read_web(out).about.classes == load(file).about.classes == class_names([name, "other"])
    assert_plain(capfd.readouterr().out, name)


@pytest.mark.parametrize("name", [ALL], ids=["all"])
def test_a_readme_holds_it_as_text(name: str, file: Path) -> None:
    pytest.importorskip("diffusers")
    out = file.with_name("pipeline")
    assert main(["export", str(file), "--diffusers", "--out", str(out)]) == 0
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert all(c.isprintable() or c == "\n" for c in readme)
    assert "<" not in readme.replace("`", "")
    assert "](" not in readme


@pytest.mark.parametrize("name", [ALL.replace("/", ""), CORPUS["surrogate"]], ids=["all", "surrogate"])
@pytest.mark.usefixtures("tiny")
def test_a_folder_of_such_names(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    try:
        os.fsencode(name)
        photos = pictures(tmp_path / "photos", (name, "other"), each=3)
    except (OSError, UnicodeError) as error:
        pytest.skip(f"this disk has no such names: {shown(error)}")
    (photos / name / "\x1b[2J.png").write_bytes(b"no image")
    (photos / "\x9b.txt").write_bytes(b"")
    assert train(photos, tmp_path / "run", "--steps", "2") == 2
    assert train(photos, tmp_path / "run", "--steps", "2", "--skip-bad") == 0
    assert main(["sample", str(tmp_path / "run"), "--class", name, "--count", "1", "--steps", "1",
                 "--grid", str(tmp_path / "\x1b[2J.png"), *CPU]) == 0  # fmt: skip
    assert_plain("".join(capfd.readouterr()), name)
    assert load(tmp_path / "run").about.classes == tuple(class_names(sorted([name, "other"])))
