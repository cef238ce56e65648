"""The chapter that trains longest, on a machine that is much too slow: it says so, and no cell fails."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ddpm_lib.train.presets as presets
from ddpm_lib.train import Machine
from tests.chapter_cells import _made, _used

BOOK = Path(__file__).parent.parent / "book"


def cells(name: str, wanted: tuple[str, ...]) -> dict[str, str]:
    """{id: source} of these cells of a chapter and of all that they need, in order."""
    code: dict[str, ast.Module] = {
        cell["id"]: ast.parse("".join(cell["source"]))
        for cell in json.loads((BOOK / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code" and "colab" not in cell["metadata"].get("tags", [])
    }
    maker: dict[str, str] = {}
    needs: dict[str, set[str]] = {}
    for key, tree in code.items():
        needs[key] = {maker[each] for each in _used(tree) if each in maker}
        maker |= dict.fromkeys(_made(tree), key)
    chosen = set(wanted)
    for key in reversed(code):
        if key in chosen:
            chosen |= needs[key]
    return {key: ast.unparse(tree) for key, tree in code.items() if key in chosen}


def test_time_that_is_up_is_said_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(presets, "CHAPTER_SECONDS", 1.0)
    monkeypatch.setattr("ddpm_lib.train.machine.probe.fastest", lambda *_: Machine())
    shown = SimpleNamespace(update=lambda *_: None)
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: shown)
    space: dict[str, Any] = {"__name__": "__main__"}
    for key, source in cells("train_now", ("now-train", "now-film", "now-check-loss")).items():
        exec(compile(source, key, "exec"), space)
    assert space["p"].step < space["enough"]
    assert "Time was up before step 1,000" in capsys.readouterr().out
