"""The table of faults by kind names tests and places that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = (HERE / "faults.md").read_text(encoding="utf-8")
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_test_and_every_place_is_there(row: str) -> None:
    _, _, _, places, tests, _ = row.split(" | " if row.count(" | ") > 4 else "|")
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", tests)
    assert named
    for file, name in named:
        assert (
            f"\ndef {name}(" in (HERE / file).read_text(encoding="utf-8") if name else (HERE / file).is_file()
        )
    found = re.findall(r"`([\w/]+\.py)`", places)
    assert found
    assert [place for place in found if not (HERE.parent / "ddpm_lib" / place).is_file()] == []


def test_the_table_is_short_and_found_from_where_contributors_begin() -> None:
    assert len(TABLE.splitlines()) <= 60
    assert "(tests/faults.md)" in (HERE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
