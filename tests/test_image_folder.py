"""A folder of images: classes by name, the square in the middle, channels, and what is no image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib.data import (
    DataError,
    image_folder,
)
from tests.saved_images import flat, save


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


def test_a_photo_is_turned_the_way_its_camera_says(tmp_path):
    picture = Image.fromarray(np.repeat([[255], [0]], 8, axis=1).repeat(4, axis=0).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture.save(tmp_path / "photo.png", exif=exif)
    pixels = image_folder(tmp_path, size=8, channels=1).pixels[0, 0].float()
    assert pixels[:3].mean() < 30
    assert pixels[-3:].mean() > 225
