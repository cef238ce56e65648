"""An index of shards that lies: other values, damaged, other folders, too much promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.damage import FEW, TAR, damaged, read, refusal

INDEX = {"format": "ddpm_lib.shards/1", "size": 7, "channels": 3, "classes": ["x"], "shards": [["0.tar", 1]]}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(10**15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@FEW
@given(st.sampled_from(sorted(INDEX)), VALUES)
def test_an_index_with_another_value(key: str, value: object) -> None:
    read("index", json.dumps(INDEX | {key: value}).encode())


@FEW
@given(damaged(st.just(json.dumps(INDEX).encode())))
def test_damaged_indices(raw: bytes) -> None:
    read("index", raw)


@pytest.mark.parametrize("name", ["../0.tar", "/etc/0.tar", "sub/0.tar", "..\\0.tar"])
def test_an_index_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "0.tar").write_bytes(TAR)
    (tmp_path / "index.json").write_text(json.dumps(INDEX | {"shards": [[name, 1]]}))
    assert "is no shard beside it" in refusal(tmp_path)


def test_an_index_cannot_promise_more_than_its_shards_have_room_for(tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(TAR)
    (tmp_path / "index.json").write_text(json.dumps(INDEX | {"shards": [["0.tar", 10**15]]}))
    assert "too small for 1,000,000,000,000,000 images" in refusal(tmp_path)
