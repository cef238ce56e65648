"""MNIST as published, folders of images as made here, and batches that visit every image once an epoch."""

from __future__ import annotations

import gzip
import hashlib
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import data
from ddpm_lib.data import (
    Batches,
    DataError,
    ImageData,
    fashion_mnist,
    image_folder,
    load_data,
    mnist,
    to_pixels,
    to_x0,
)
from ddpm_lib.data import idx as idx_files
from ddpm_lib.data.idx import parse_idx

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture(scope="module")
def digits():
    return {train: mnist(train) for train in (True, False)}


# -- MNIST ---------------------------------------------------------------------------------------------------


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


# -- bytes and floats ----------------------------------------------------------------------------------------


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


# -- idx files -----------------------------------------------------------------------------------------------


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


# -- Fashion-MNIST from a folder -----------------------------------------------------------------------------


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


# -- a folder of images --------------------------------------------------------------------------------------


def save(path, array, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8), mode).save(path)


def flat(height, width, *color):
    return np.broadcast_to(np.array(color, np.uint8), (height, width, len(color))).squeeze()


def test_a_folder_with_subfolders_has_classes_by_name(tmp_path):
    save(tmp_path / "dog" / "1.png", flat(10, 10, 200, 10, 10))
    save(tmp_path / "cat" / "deep" / "2.PNG", flat(10, 10, 10, 200, 10))
    save(tmp_path / "cat" / "1.bmp", flat(10, 10, 10, 10, 200))
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    images = image_folder(tmp_path, size=8)
    assert images.classes == ("cat", "dog")
    assert images.y.tolist() == [0, 0, 1]
    assert images.pixels.shape == (3, 3, 8, 8)
    assert images.pixels[:, :, 4, 4].tolist() == [[10, 10, 200], [10, 200, 10], [200, 10, 10]]
    assert images.name == tmp_path.name


def test_a_flat_or_a_mixed_folder_has_no_labels(tmp_path):
    save(tmp_path / "1.png", flat(10, 10, 200, 10, 10))
    assert image_folder(tmp_path, size=8).y is None
    save(tmp_path / "cat" / "1.png", flat(10, 10, 10, 10, 200))
    images = image_folder(tmp_path, size=8)
    assert len(images) == 2
    assert images.y is None
    assert images.classes == ()


@pytest.mark.parametrize(("height", "width"), [(12, 30), (30, 12)])
def test_the_centre_square_is_kept(tmp_path, height, width):
    array = np.zeros((height, width), np.uint8)
    top, left = (height - 12) // 2, (width - 12) // 2
    array[top : top + 12, left : left + 12] = 255
    save(tmp_path / "1.png", array)
    assert image_folder(tmp_path, size=6, channels=1).pixels.unique().tolist() == [255]


def test_axes_are_not_mixed_up(tmp_path):
    array = np.zeros((8, 8, 3), np.uint8)
    array[1, 6] = (10, 20, 30)  # row 1, column 6
    save(tmp_path / "1.png", array)
    pixels = image_folder(tmp_path, size=8).pixels
    assert pixels[0, :, 1, 6].tolist() == [10, 20, 30]
    assert int(pixels.int().sum()) == 60


def test_grey_alpha_and_palette_images_become_rgb_and_any_becomes_grey(tmp_path):
    save(tmp_path / "a_grey.png", flat(8, 8, 90))
    save(tmp_path / "b_alpha.png", flat(8, 8, 10, 20, 30, 255))
    Image.fromarray(flat(8, 8, 60, 70, 80).copy()).convert("P").save(tmp_path / "c_palette.gif")
    images = image_folder(tmp_path, size=4).pixels
    assert images.shape == (3, 3, 4, 4)
    assert images[0, :, 0, 0].tolist() == [90, 90, 90]
    assert images[1, :, 0, 0].tolist() == [10, 20, 30]
    assert images[2, :, 0, 0].sub(torch.tensor([60, 70, 80])).abs().max() <= 26  # of the web palette
    assert image_folder(tmp_path, size=4, channels=1).pixels.shape == (3, 1, 4, 4)


@pytest.mark.parametrize("damage", ["short", "other", "flipped"])
def test_a_broken_image_is_named(tmp_path, damage):
    path = tmp_path / "broken.png"
    rng = np.random.default_rng(0)
    save(path, rng.integers(0, 256, (32, 32, 3)))
    raw = path.read_bytes()
    i = raw.index(b"IDAT") - 2  # a byte of the length of the pixels' chunk
    flipped = raw[:i] + bytes([raw[i] ^ 8]) + raw[i + 1 :]
    path.write_bytes({"short": raw[:500], "other": b"no image at all", "flipped": flipped}[damage])
    with pytest.raises(
        DataError, match=r"broken\.png cannot be read as an image: replace it or take it away"
    ):
        image_folder(tmp_path, size=8)


def test_an_empty_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"holds no images: put .*jpeg"):
        image_folder(tmp_path)
    with pytest.raises(DataError, match="is not a folder: pass 'mnist', 'fashion-mnist' or a folder"):
        image_folder(tmp_path / "nowhere")


def test_data_sets_by_name(tmp_path, monkeypatch, fashion):
    assert load_data("mnist", train=False).name == "mnist"
    assert len(load_data("mnist", train=False)) == 10_000
    monkeypatch.setenv("DDPM_DATA", str(fashion.parent / "cache"))
    shutil.copytree(fashion, fashion.parent / "cache" / "fashion-mnist")
    assert len(load_data("fashion-mnist", train=False)) == 4
    save(tmp_path / "pictures" / "1.png", flat(10, 10, 1, 2, 3))
    assert load_data(str(tmp_path / "pictures"), size=5).pixels.shape == (1, 3, 5, 5)


# -- batches -------------------------------------------------------------------------------------------------


def numbered(n):
    """n images, each filled with its own number, which is also its label."""
    pixels = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 1, 2, 2)
    return ImageData(pixels, torch.arange(n), "numbers")


def test_an_epoch_is_a_permutation_and_images_keep_their_labels():
    batches = Batches(numbered(12), 4, seed=1)
    assert batches.an_epoch == 3
    for epoch in range(3):
        seen = []
        for step in range(3 * epoch, 3 * epoch + 3):
            x0, y = batches(step)
            assert x0.shape == (4, 1, 2, 2)
            assert torch.equal(to_pixels(x0)[:, 0, 0, 0].long(), y)
            seen += y.tolist()
        assert sorted(seen) == list(range(12))


def test_a_short_last_batch_is_left_out():
    batches = Batches(numbered(11), 4)
    seen = torch.cat([batches(step)[1] for step in range(2)])
    assert len(seen.unique()) == 8
    assert batches.an_epoch == 2


def test_batches_are_a_function_of_step_and_seed():
    data_, order = numbered(32), [9, 2, 31, 0, 2, 9]
    forward = {step: Batches(data_, 8, seed=5)(step)[1].tolist() for step in range(32)}
    again = Batches(data_, 8, seed=5)
    assert all(again(step)[1].tolist() == forward[step] for step in order)
    epochs = [[forward[4 * e + i] for i in range(4)] for e in range(8)]
    assert len({str(epoch) for epoch in epochs}) == 8
    assert Batches(data_, 8, seed=6)(0)[1].tolist() != forward[0]
    assert Batches(data_, 8, seed=6)(0)[1].tolist() not in (epochs[1][0], epochs[2][0])


@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_parts_of_several_processes_are_the_batch_of_one(world):
    data_ = numbered(20)
    for step in range(7):  # across epochs
        x0, y = Batches(data_, 8, seed=5)(step)
        parts = [Batches(data_, 8, 5, rank, world)(step) for rank in range(world)]
        assert {len(part) for part, _ in parts} == {8 // world}
        assert torch.equal(torch.cat([part for part, _ in parts]), x0)
        assert torch.equal(torch.cat([labels for _, labels in parts]), y)


@pytest.mark.parametrize(("rank", "world"), [(0, 3), (2, 2), (-1, 2)])
def test_a_batch_without_an_equal_part_for_a_process_is_refused(rank, world):
    with pytest.raises(DataError, match=f"no equal part of a batch of 8.* multiple of {world}"):
        Batches(numbered(20), 8, 0, rank, world)


def test_unlabelled_data_give_no_labels():
    x0, y = Batches(ImageData(numbered(4).pixels, None, "plain"), 4)(0)
    assert y is None
    assert len(x0) == 4


@pytest.mark.parametrize("size", [0, -1, 13])
def test_a_batch_that_does_not_fit_is_refused(size):
    with pytest.raises(
        DataError, match=f"A batch of {size} cannot be drawn from 12 images: choose .* 1 to 12"
    ):
        Batches(numbered(12), size)


def test_a_photo_is_turned_the_way_its_camera_says(tmp_path):
    picture = Image.fromarray(np.repeat([[255], [0]], 8, axis=1).repeat(4, axis=0).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture.save(tmp_path / "photo.png", exif=exif)
    pixels = image_folder(tmp_path, size=8, channels=1).pixels[0, 0].float()
    assert pixels[:3].mean() < 30
    assert pixels[-3:].mean() > 225
