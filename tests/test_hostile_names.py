"""Names come from strangers' files: whatever they hold is text in every output, and nothing that anyone obeys."""

from __future__ import annotations

import html
import json
import os
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

from ddpm_lib import CourseError, class_names, load, shown
from ddpm_lib.__main__ import main
from ddpm_lib.cli.terminal import Plain, plain_output
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.trained import About, Trained, export_weights
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.web.export import AFTER, BEFORE, read_web, web_script
from ddpm_lib.widgets import GenerateWidget
from tests.tiny import CPU, pictures, tiny, train

__all__ = ["tiny"]
CORPUS = {
    "script": "</script><script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "comment": "<!-- --><![CDATA[",
    "markdown": "[a](javascript:alert(1)) `b` | c",
    "clear": "\x1b[2J\x1b]0;title\x07",
    "return": "good\rbad\nddpm_lib: all is well",
    "eight-bit": "\x9b31m\x85",
    "right-to-left": "\u202egnp.exe\u2066\u200b",
    "separators": "\u2028\u2029",
    "surrogate": "\udcff\udc80",
    "dollar": "$(touch x) ${x} `x` %s {0} \\x1b",
}
HOSTILE = pytest.mark.parametrize("name", CORPUS.values(), ids=CORPUS)
ALL = " ".join(CORPUS.values())  # where a whole command runs, once
CONFIG = UNetConfig(base=8, mults=(1,), blocks=1, heads=1, activation="silu", classes=2)


def assert_plain(text: str, name: str) -> None:
    """A terminal obeys nothing of it: line ends and the bar's way back are ours, and no name holds them raw."""
    assert all(c.isprintable() or c in "\n\r" for c in text)
    assert name.isprintable() or name not in text


def checkpoint(name: str) -> Trained:
    """An untrained network whose data and classes have such names."""
    torch.manual_seed(0)
    tensors = {f"ema.{key}": value for key, value in UNet(CONFIG).state_dict().items()}
    about = About(f"data {name}", (1, 8, 8), (name, "other"))
    schedule = replace(cosine_schedule(8), name=f"schedule {name}")
    return Trained(CONFIG, schedule, about, tensors, training={"note": name})


@pytest.fixture
def file(name: str, tmp_path: Path) -> Path:
    """Its weights in a file, as a stranger may have written it: the names in JSON are raw."""
    export_weights(tmp_path / "made.safetensors", checkpoint(name))
    return tmp_path / "made.safetensors"


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
def test_an_error_of_the_course_is_one_line(name: str) -> None:
    error = str(CourseError(f"{name} is not there: look elsewhere."))
    assert error.isprintable()
    assert str(CourseError(error)) == error  # quoted by another, it is as it was
    (cleaned,) = class_names([name])
    assert cleaned.isprintable()
    assert class_names([cleaned]) == (cleaned,)


@HOSTILE
def test_what_is_printed_is_plain(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with plain_output():
        print(name, "and", name)
        print(f"\r{name}", file=sys.stderr)
    printed = capfd.readouterr()
    assert printed.out.count("\n") == 1 + 2 * name.count("\n")
    assert_plain(printed.out + printed.err, name if "\n" not in name + "\r" else "\x1b")


def test_a_terminal_that_knows_few_letters_gets_the_others_escaped() -> None:
    written = []

    class Ascii:
        encoding = "ascii"

        def write(self, text: str) -> None:
            written.append(text.encode("ascii"))

    assert Plain(Ascii(), "\n").write("caf\u00e9 \udcff\n") == 7
    assert written == [b"caf\\xe9 \\udcff\n"]


@pytest.mark.parametrize("name", [ALL], ids=["all"])
@pytest.mark.parametrize(
    "command",
    [
        ["sample", "FILE", "--dry-run"],
        ["sample", "FILE", "--class", "NAME", "--dry-run"],
        ["sample", "FILE", "--class", "none such NAME"],
        ["evaluate", "FILE", "--dry-run"],
        ["evaluate", "FILE", *CPU],
        ["diagnose", "FILE"],
        ["diagnose", "FILE", "--data", "NAME"],
        ["export", "FILE", "--dry-run"],
        ["train", "--resume", "FILE", *CPU],
        ["train", "--data", "NAME", *CPU],
        ["sample", "NAME"],
        ["shard", "NAME", "x"],
    ],
    ids=" ".join,
)
def test_a_terminal_obeys_no_name(
    name: str,
    file: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(file.parent)
    argv = [str(file) if word == "FILE" else word.replace("NAME", name) for word in command]
    status = main(argv)
    printed = capfd.readouterr()
    assert status == (0 if "--dry-run" in command else 2)
    assert_plain(printed.out + printed.err, name)
    assert len([line for line in printed.err.splitlines() if line.startswith("ddpm_lib ")]) == (status == 2)
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name]


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
