"""Classes are compared by name, wherever data and a network meet: a number means nothing outside its own network."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddpm_lib.__main__ import main
from tests.named_classes import photos as photos
from tests.named_classes import run as run
from tests.named_classes import shards
from tests.tiny import CPU, pictures
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")

COMMANDS = (
    ["train", "--resume", "RUN", "--steps", "9", "--data", "DATA"],
    ["evaluate", "RUN", "--data", "DATA", "--bits", "0"],
    ["diagnose", "RUN", "--data", "DATA"],
)


def others(what: str, folder: Path) -> tuple[Path, str]:
    """Data that do not fit a run on cats and dogs, and what is said of them."""
    match what:
        case "another":
            return pictures(folder / "data", ("cats", "wolves")), "(new: wolves; missing: dogs)"
        case "more":
            return pictures(folder / "data", ("cats", "dogs", "eels")), "(new: eels)"
        case "order":
            return shards(folder, ["dogs", "cats"]), "(in another order)"
    return shards(folder, ["0", "1"]), "(new: 0, 1; missing: cats, dogs)"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("what", ["another", "more", "order", "numbers"])
def test_every_command_refuses_other_classes_and_names_them(
    run: Path, tmp_path: Path, what: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data, difference = others(what, tmp_path)
    before = (run / "checkpoint.safetensors").read_bytes()
    capsys.readouterr()
    argv = [{"RUN": str(run), "DATA": str(data)}.get(word, word) for word in command]
    assert main([*argv, *(CPU if command[0] != "diagnose" else ())]) == 2
    assert difference in capsys.readouterr().err
    assert (run / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS[1:], ids=lambda command: command[0])
def test_data_without_classes_are_measured_without_and_it_is_said(
    run: Path, photos: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data = photos / "cats"
    argv = [{"RUN": str(run), "DATA": str(data)}.get(word, word) for word in command]
    assert main([*argv, *(CPU if command[0] != "diagnose" else ())]) == 0
    assert f"{data} has no classes: the network is asked for no class." in capsys.readouterr().out
