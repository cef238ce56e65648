"""README cannot lie: its commands parse, its targets exist, its tree is the tree, its Python runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ddpm_lib.cli.options import parser

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The fenced blocks of README in one language."""
    return [block for name, block in FENCES if name == language]


def commands(start: str) -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line.startswith(start)]


def test_there_are_commands_to_check() -> None:
    assert len(commands("make ")) == 2
    assert len(commands("python -m ddpm_lib ")) >= 5


@pytest.mark.parametrize("command", commands("make "))
def test_every_make_target_exists(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in command.split()[1:]:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


LAUNCHERS = ("python -m ddpm_lib ", "accelerate launch ", "torchrun ")


@pytest.mark.parametrize("command", [line for start in LAUNCHERS for line in commands(start)])
def test_every_command_line_parses(command: str) -> None:
    _, line = command.split("-m ddpm_lib ")
    parser().parse_args(shlex.split(line))


def test_the_tree_is_the_tree() -> None:
    (tree,) = (block for block in blocks("") if "pyproject.toml" in block)
    for line in tree.splitlines():
        name = line.split()[0]
        folder = ROOT / "ddpm_lib" if line.startswith("  ") else ROOT
        assert (folder / name).exists(), f"{name} stands in README's tree and not in {folder.name}"
    listed = {line.split()[0].rstrip("/") for line in tree.splitlines() if line.startswith("  ")}
    there = {path.name for path in (ROOT / "ddpm_lib").iterdir() if not path.name.startswith("__")}
    assert there <= listed, f"missing from README's tree: {sorted(there - listed)}"


def test_the_python_example_runs() -> None:
    (example,) = blocks("python")
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert tuple(names["digits"].shape) == (10, 1, 28, 28)  # type: ignore[attr-defined]


def test_every_picture_exists_and_has_alt_text() -> None:
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", README)
    assert pictures
    for alt, path in pictures:
        assert alt
        assert (ROOT / path).is_file(), path
