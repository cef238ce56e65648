"""Tars beside photos, and indices of shards that point elsewhere."""

import contextlib
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lib.data import DataError
from ddpm_lib.data.stream.index import _parsed, read_index
from ddpm_lib.data.stream.open import open_images
from tests.photo_folders import cats as cats
from tests.photo_folders import put


def test_a_tar_beside_photos_does_not_make_shards_of_the_folder(cats: Path) -> None:
    with tarfile.open(cats / "backup.tar", "w") as tar:
        tar.add(cats / "cat" / "a.png", "a.png")
    before = sorted(path.name for path in cats.iterdir())
    assert len(open_images(str(cats), size=4)) == 4
    assert sorted(path.name for path in cats.iterdir()) == before


def test_looking_at_shards_writes_nothing_when_told_not_to(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        tar.add(tmp_path / "a.png", "00000000.png")
    (tmp_path / "a.png").unlink()
    assert len(read_index(tmp_path, write=False)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["0.tar"]
    read_index(tmp_path)
    assert (tmp_path / "index.json").is_file()


@pytest.mark.parametrize(
    "shards",
    [[["../0.tar", 1]], [["/etc/0.tar", 1]], [["0.tar", -1]], [["0.tar", "1"]], [["0.tar", 10**15]], 7, None],
)
def test_an_index_that_points_elsewhere_or_lies_is_refused(tmp_path: Path, shards: object) -> None:
    (tmp_path / "0.tar").write_bytes(b"\0" * 10240)
    index = {"format": "ddpm_lib.shards/1", "size": 4, "channels": 1, "classes": [], "shards": shards}
    (tmp_path / "index.json").write_text(json.dumps(index))
    with pytest.raises(DataError) as error:
        read_index(tmp_path)
    assert "\n" not in str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80)
@given(st.fixed_dictionaries({"size": JSON, "channels": JSON, "classes": JSON, "shards": JSON}))
def test_no_index_raises_anything_but_what_is_caught(raw: dict[str, object]) -> None:
    with contextlib.suppress(KeyError, TypeError, ValueError, DataError):
        _parsed(raw)


@settings(max_examples=30)
@given(cut=st.integers(0, 10240))
def test_a_tar_cut_anywhere_is_read_or_refused_in_a_sentence(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    put(folder / "a.png")
    with tarfile.open(folder / "0.tar", "w") as tar:
        tar.add(folder / "a.png", "00000000.png")
    (folder / "a.png").unlink()
    raw = (folder / "0.tar").read_bytes()
    (folder / "0.tar").write_bytes(raw[:cut])
    said = ""
    try:
        assert len(read_index(folder, write=False)) == 1
    except DataError as error:
        said = str(error)
    assert "\n" not in said
