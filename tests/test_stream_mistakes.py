"""Shards that are empty, cut, missing or unlike the others are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddpm_lib.data import DataError
from ddpm_lib.data.stream import StreamedBatches, open_images, write_shards
from tests.sharded import SIZE, N, assert_refused, epoch, opened, png, tar
from tests.sharded import photos as photos
from tests.sharded import shards as shards
from tests.sharded import small_buffer as small_buffer


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no images"):
        open_images(str(tmp_path))
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(DataError, match="holds no shards"):
        open_images(str(tmp_path))
    with pytest.raises(DataError, match="holds no images"):
        next(write_shards(tmp_path, tmp_path / "out"))


def test_shards_without_images(tmp_path: Path) -> None:
    tar(tmp_path / "0.tar", {"txt": b"a"})
    assert_refused(tmp_path, "hold no images")


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_shard_that_was_cut_short(shards: Path, keep: float, workers: int) -> None:
    raw = (shards / "000004.tar").read_bytes()
    (shards / "000004.tar").write_bytes(raw[: int(keep * 10 * 3 * 512)])  # in the middle of what was written
    assert_refused(shards, r"000004\.tar .*(not a whole shard|was cut short|holds \d+ images)", workers)


def test_a_shard_that_ends_between_two_images(shards: Path) -> None:
    data = opened(shards)
    tar(shards / "000004.tar", *({"png": png(), "cls": b"0"} for _ in range(7)))
    assert data.index.shards[4] == ("000004.tar", 10)
    assert_refused(shards, "holds 7 images, and 10 by the index")
    tar(shards / "000004.tar", *({"png": png(), "cls": b"0"} for _ in range(11)))
    assert_refused(shards, "holds more images, and 10 by the index")


def test_something_that_is_no_tar(shards: Path) -> None:
    (shards / "000002.tar").write_bytes(b"hello" * 1000)
    assert_refused(shards, r"000002\.tar is not a whole shard")


def test_a_shard_that_is_missing(shards: Path) -> None:
    data = opened(shards)
    (shards / "000002.tar").unlink()
    with pytest.raises(DataError, match="put back what is missing"):
        open_images(str(shards))
    with pytest.raises(DataError, match=r"000002\.tar does not exist"):
        epoch(StreamedBatches(data, 2, workers=0))


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"png": png(9), "cls": b"0"}, r"is \(3, 9, 9\), and the index says \(3, 8, 8\)"),
        ({"png": png(mode="L"), "cls": b"0"}, r"is \(1, 8, 8\)"),
        ({"png": png()}, "has no label, but the index names 3 classes"),
        ({"png": png(), "cls": b"3"}, "has the label 3"),
        ({"png": png(), "cls": b"cat"}, "invalid literal"),
        ({"png": b"nothing", "cls": b"0"}, "cannot be read as an image"),
    ],
)
def test_an_image_unlike_the_others(shards: Path, sample: dict[str, object], words: str) -> None:
    good: dict[str, object] = {"png": png(), "cls": b"0"}
    tar(shards / "000004.tar", *[good] * 4, sample, *[good] * 5)
    assert_refused(shards, words)


@pytest.mark.parametrize("first", [True, False])
def test_labels_in_some_shards_only(tmp_path: Path, first: bool) -> None:
    labelled, bare = {"png": png(), "cls": b"0"}, {"png": png()}
    tar(tmp_path / "0.tar", labelled if first else bare)
    tar(tmp_path / "1.tar", bare if first else labelled)
    assert_refused(tmp_path, "has no label, unlike" if first else "has a label, unlike")


def test_an_index_that_is_none(shards: Path) -> None:
    (shards / "index.json").write_text('{"shards": 3}')
    with pytest.raises(DataError, match="is not an index of shards"):
        open_images(str(shards))


def test_batches_that_cannot_be_drawn(shards: Path) -> None:
    data = opened(shards)
    with pytest.raises(DataError, match="A batch of 91 cannot be drawn from 90 images"):
        StreamedBatches(data, 91)
    with pytest.raises(DataError, match="no equal part of a batch of 9"):
        StreamedBatches(data, 9, rank=0, world=2)
    with pytest.raises(DataError, match="9 shards, too few for 10 processes"):
        StreamedBatches(data, 10, rank=0, world=10)
    with pytest.raises(DataError, match="There is no batch -1"):
        StreamedBatches(data, 10)(-1)


def test_another_size_than_the_shards_have(shards: Path) -> None:
    assert len(open_images(str(shards), size=SIZE)) == N
    with pytest.raises(DataError, match="are 8 pixels wide, and not 32"):
        open_images(str(shards), size=32)
