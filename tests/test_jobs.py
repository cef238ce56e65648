"""Arms measured one after the other and several at once give the same rows, in the order that was asked for."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.arms import run
from benchmarks.jobs import in_turn

KEYS = [{"arm": arm, "seed": seed} for seed in range(2) for arm in ("slow", "quick")]


def measure(key: dict[str, Any]) -> tuple[dict[str, Any], Tensor]:
    """Gray as the seed says; a slow arm ends after the quick one that is begun later."""
    time.sleep(1.0 if key["arm"] == "slow" else 0.0)
    return {"process": os.getpid()}, torch.full((2, 1, 28, 28), key["seed"] - 1.0)


def double(n: int) -> int:
    return 2 * n


def test_several_at_once_give_the_rows_in_the_order_of_the_keys(tmp_path: Path) -> None:
    out = tmp_path / "table.json"
    assert run(out, {"what": "a table"}, KEYS[:1], measure, 2)
    assert run(out, {"what": "a table"}, KEYS, measure, 2, jobs=2)
    rows = json.loads(out.read_text())["rows"]
    assert [{"arm": row["arm"], "seed": row["seed"]} for row in rows] == KEYS
    assert rows[0]["process"] == os.getpid()  # it was there, and was not measured again
    assert os.getpid() not in {row["process"] for row in rows[1:]}


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_is_begun_when_the_time_is_up(jobs: int) -> None:
    assert list(in_turn([1, 2], double, time.monotonic() - 1, jobs)) == []


def test_a_table_says_that_it_is_not_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.json"
    assert not run(out, {}, KEYS, measure, 2, until=time.monotonic() - 1)
    assert "no time is left for {'arm': 'slow', 'seed': 0}" in capsys.readouterr().out
    assert not out.exists()
    assert run(out, {}, KEYS[1:2], measure, 2, until=math.inf)
