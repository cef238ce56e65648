"""MNIST as published, folders of images as made here, and batches that visit every image once an epoch."""

from __future__ import annotations

import gzip
import hashlib
import shutil

import numpy as np
import pytest
import torch

from ddpm_lib import data
from ddpm_lib.data import (
    DataError,
    ImageData,
    fashion_mnist,
    load_data,
    mnist,
    to_pixels,
    to_x0,
)
from ddpm_lib.data import idx as idx_files
from ddpm_lib.data.idx import parse_idx
from tests.saved_images import flat, save

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture(scope="module")
def digits():
    return {train: mnist(train) for train in (True, False)}


@pytest.mark.parametrize(("train", "counts"), [(True, TRAIN_COUNTS), (False, TEST_COUNTS)])
def test_mnist_has_its_known_counts(digits, train, counts):
    images = digits[train]
    assert images.pixels.shape == (sum(counts), 1, 28, 28)
    assert images.pixels.dtype == torch.uint8
    assert images.y.dtype == torch.int64
    assert images.y.bincount().tolist() == counts
    assert len(images) == sum(counts)
    assert images.classes == tuple("0123456789")
    assert images.name == "mnist"


@pytest.mark.parametrize(
    ("train", "md5"),
    [(True, "6bbc9ace898e44ae57da46a324031adb"), (False, "2646ac647ad5339dbf082846283269ea")],
)
def test_mnist_is_byte_for_byte_the_published_file(digits, train, md5):
    pixels = digits[train].pixels
    magic = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (len(pixels), 28, 28))
    assert hashlib.md5(magic + pixels.numpy().tobytes()).hexdigest() == md5


def test_mnist_labels_are_in_the_published_order(digits):
    assert digits[True].y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits[False].y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_a_changed_mnist_file_is_noticed(monkeypatch, tmp_path):
    shutil.copytree(data.ASSETS / "mnist", tmp_path / "mnist")
    labels = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.xz"
    packed = bytearray(labels.read_bytes())
    packed[-1] ^= 1
    labels.write_bytes(packed)
    monkeypatch.setattr(idx_files, "ASSETS", tmp_path)
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.xz does not have its published checksum"):
        mnist(train=False)


@pytest.mark.equation("eq-pixels")
def test_all_256_bytes_survive_the_way_to_x0_and_back():
    pixels = torch.arange(256, dtype=torch.uint8)
    x0 = to_x0(pixels)
    assert x0.dtype == torch.float32
    assert (float(x0[0]), float(x0[255])) == (-1, 1)
    assert torch.allclose(x0, pixels / 127.5 - 1)
    assert torch.equal(to_pixels(x0), pixels)


def test_what_lies_outside_the_range_is_clipped_and_the_rest_rounded():
    x = torch.tensor([-3.0, -1.0, -1 + 0.4 / 127.5, -1 + 0.6 / 127.5, 0.0, 1.0, 1.7])
    assert to_pixels(x).tolist() == [0, 0, 0, 1, 128, 255, 255]


def test_x0_of_an_index_is_those_images_scaled(digits):
    images = digits[False]
    index = torch.tensor([7, 0, 7])
    x0 = images.x0(index)
    assert x0.shape == (3, 1, 28, 28)
    assert torch.equal(x0[0], images.pixels[7].float() / 127.5 - 1)
    assert torch.equal(x0[1], images.pixels[0].float() / 127.5 - 1)
    assert torch.equal(x0[0], x0[2])
    assert torch.equal(images.x0(slice(0, 2))[0], x0[1])
    assert images.x0().shape == images.pixels.shape


def test_moving_data_keeps_everything():
    pixels = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    moved = ImageData(pixels, torch.tensor([1, 0]), "made", ("a", "b")).to("cpu")
    assert (moved.name, moved.classes, moved.y.tolist()) == ("made", ("a", "b"), [1, 0])
    assert ImageData(pixels, None, "made").to("cpu").y is None


def idx(array):
    """An array of bytes in LeCun's format."""
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return b"\x00\x00\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def test_parse_idx_reads_the_array_in_order():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(parse_idx(idx(array), "made"), array)


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\x00\x08", b"\x00\x00\x0d\x01\x00\x00\x00\x01x", b"\x00\x00\x08\x02\x00"]
)
def test_other_files_are_no_idx_files(raw):
    with pytest.raises(DataError, match="made is not an idx file of bytes: fetch it again"):
        parse_idx(raw, "made")


@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw + b"x"])
def test_an_idx_file_of_the_wrong_length_is_refused(change):
    raw = change(idx(np.zeros((3, 2), np.uint8)))
    with pytest.raises(DataError, match=f"made is cut short: it holds {len(raw)} bytes"):
        parse_idx(raw, "made")


@pytest.fixture
def fashion(tmp_path):
    rng = np.random.default_rng(0)
    for split, n in (("train", 6), ("t10k", 4)):
        images, labels = rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8)
        (tmp_path / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return tmp_path


def test_fashion_mnist_reads_the_split_that_was_asked_for(fashion):
    train, test = fashion_mnist(True, fashion), fashion_mnist(False, fashion)
    assert train.pixels.shape == (6, 1, 28, 28)
    assert train.y.tolist() == [0, 1, 2, 3, 4, 5]
    assert test.pixels.shape == (4, 1, 28, 28)
    assert (train.name, len(train.classes), train.classes[9]) == ("fashion-mnist", 10, "boot")


def test_fashion_mnist_missing_from_a_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz does not exist: name a folder"):
        fashion_mnist(True, tmp_path)


@pytest.mark.parametrize("damage", ["short", "other", "flipped"])
def test_a_damaged_gzip_file_is_named(fashion, damage):
    path = fashion / "train-images-idx3-ubyte.gz"
    raw = path.read_bytes()
    flipped = raw[:10] + bytes([raw[10] ^ 255]) + raw[11:]  # the first byte after the header
    path.write_bytes({"short": raw[:-20], "other": b"no gzip at all", "flipped": flipped}[damage])
    with pytest.raises(
        DataError, match=r"train-images-idx3-ubyte\.gz is not a whole gzip file: fetch it again"
    ):
        fashion_mnist(True, fashion)


def test_data_sets_by_name(tmp_path, monkeypatch, fashion):
    assert load_data("mnist", train=False).name == "mnist"
    assert len(load_data("mnist", train=False)) == 10_000
    monkeypatch.setenv("DDPM_DATA", str(fashion.parent / "cache"))
    shutil.copytree(fashion, fashion.parent / "cache" / "fashion-mnist")
    assert len(load_data("fashion-mnist", train=False)) == 4
    save(tmp_path / "pictures" / "1.png", flat(10, 10, 1, 2, 3))
    assert load_data(str(tmp_path / "pictures"), size=5).pixels.shape == (1, 3, 5, 5)
