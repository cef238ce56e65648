"""Names come from strangers' files: whatever they hold is text in every output, and nothing that anyone obeys."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ddpm_lib import CourseError, class_names
from ddpm_lib.__main__ import main
from ddpm_lib.cli.terminal import Plain, plain_output
from tests.nasty import ALL, HOSTILE, assert_plain
from tests.nasty import file as file
from tests.tiny import CPU


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
