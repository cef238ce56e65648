"""Every mode that an image file can have, against values worked out by hand; and files that are no images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ddpm_lib.data.errors import BadImage
from ddpm_lib.data.pixels import decode, is_color, read_image
from tests.encoded import encoded, grey, pixels


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    # 65535 / 257 = 255: every 257th value is a byte
    assert pixels(encoded(grey([[0, 257 * 128, 257 * 200, 65535]], np.uint16))) == [[0], [128], [200], [255]]


def test_a_dark_picture_of_sixteen_bits_stays_dark() -> None:
    assert pixels(encoded(grey([[0, 257, 2570]], np.uint16))) == [[0], [1], [10]]


def test_floats_of_a_tiff_are_scaled_by_the_white_that_holds_them() -> None:
    assert pixels(encoded(grey([[0, 0.5, 1]], np.float32), "TIFF")) == [[0], [128], [255]]
    assert pixels(encoded(grey([[0, 100, 255]], np.float32), "TIFF")) == [[0], [100], [255]]
    assert pixels(encoded(grey([[0, 25700, 65535]], np.float32), "TIFF")) == [[0], [100], [255]]


def test_integers_of_thirty_two_bits() -> None:
    assert pixels(encoded(grey([[0, 100, 255]], np.int32), "TIFF")) == [[0], [100], [255]]
    assert pixels(encoded(grey([[0, 25700, 65535]], np.int32), "TIFF")) == [[0], [100], [255]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 1e9])
def test_grey_values_that_mean_nothing_are_refused(value: float) -> None:
    with pytest.raises(BadImage, match="not finite numbers from 0 to 65535"):
        decode(encoded(grey([[0, value]], np.float32), "TIFF"), "an image")


def test_black_and_white() -> None:
    assert pixels(encoded(grey([[0, 255]], np.uint8).convert("1"))) == [[0], [255]]


def test_print_colors_are_turned_into_light() -> None:
    cmyk = Image.new("CMYK", (1, 1), (0, 0, 0, 0))  # no ink: white paper
    assert pixels(encoded(cmyk, "TIFF")) == [[255, 255, 255]]
    full = Image.new("CMYK", (1, 1), (255, 0, 0, 0))  # cyan takes red away
    assert pixels(encoded(full, "TIFF")) == [[0, 255, 255]]


def test_luminance_and_chroma() -> None:
    red, green, blue = pixels(encoded(Image.new("YCbCr", (8, 8), (100, 128, 128)), "JPEG"))[0]
    assert max(abs(each - 100) for each in (red, green, blue)) <= 1  # neutral chroma is grey


def test_a_palette() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    assert pixels(encoded(image)) == [[255, 0, 0], [0, 0, 255]]


def test_what_is_transparent_shows_the_white_ground_and_no_hidden_color() -> None:
    image = Image.new("RGBA", (3, 1))
    image.putdata([(10, 20, 30, 255), (255, 0, 0, 0), (0, 0, 0, 51)])
    # 51 / 255 is a fifth: four fifths of the white ground show through the black
    assert pixels(encoded(image)) == [[10, 20, 30], [255, 255, 255], [204, 204, 204]]


def test_transparent_grey() -> None:
    image = Image.new("LA", (3, 1))
    image.putdata([(10, 255), (10, 0), (0, 51)])
    assert pixels(encoded(image)) == [[10], [255], [204]]


def test_a_transparent_entry_of_a_palette() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    assert pixels(encoded(image, transparency=0)) == [[255, 255, 255], [0, 0, 255]]


def test_hidden_colors_do_not_bleed_when_the_image_is_made_small(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))  # red, and nowhere to be seen
    image.save(tmp_path / "hidden.png")
    assert read_image(tmp_path / "hidden.png", 4).unique().tolist() == [255]


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("L", (2, 2), value) for value in (50, 200)]
    assert pixels(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))[0][0] == 50


def test_a_photo_is_turned_as_its_camera_says() -> None:
    image = grey([[10, 20]], np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    turned = decode(encoded(image, exif=exif.tobytes()), "a photo")
    assert turned[..., 0].tolist() == [[10], [20]]


def test_a_color_profile_that_is_broken_is_ignored() -> None:
    image = Image.new("RGB", (1, 1), (10, 20, 30))
    assert pixels(encoded(image, icc_profile=b"this is no profile")) == [[10, 20, 30]]


@pytest.mark.parametrize(
    ("image", "color"),
    [
        (Image.new("L", (2, 2), 7), False),
        (Image.new("RGB", (2, 2), (7, 7, 7)), False),
        (Image.new("RGB", (2, 2), (7, 7, 8)), True),
        (Image.new("I;16", (2, 2)), False),
        (Image.new("RGBA", (2, 2), (9, 9, 9, 100)), False),
    ],
    ids=["L", "grey RGB", "color", "16 bits", "grey RGBA"],
)
def test_color_is_in_the_pixels_and_not_in_the_mode(tmp_path: Path, image: Image.Image, color: bool) -> None:
    image.save(tmp_path / "image.png")
    assert is_color(tmp_path / "image.png") is color
