"""Every mode that an image file can have, against values worked out by hand; and files that are no images."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ddpm_lib.data.errors import BadImage, DataError
from ddpm_lib.data.pixels import check_format, decode, is_color, read_image


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def grey(values: list[list[float]], dtype: type) -> Image.Image:
    return Image.fromarray(np.array(values, dtype))


def pixels(raw: bytes) -> list[list[int]]:
    """All pixels in a row, each a list of its channels."""
    array = decode(raw, "an image")
    return array.reshape(-1, array.shape[-1]).tolist()


# -- grey of many bits ----------------------------------------------------------------------------------------


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


# -- the other modes ------------------------------------------------------------------------------------------


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


# -- transparency ---------------------------------------------------------------------------------------------


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


# -- what a file says beside its pixels -----------------------------------------------------------------------


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


# -- grey or not ----------------------------------------------------------------------------------------------


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


# -- what is no image -----------------------------------------------------------------------------------------


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "it is empty"),
        (b"hello", "it is no PNG"),
        (bomb(60_000, 60_000), "exceeds limit"),
        (bomb(10_000, 10_000), "cannot hold the 10000 x 10000 pixels"),
        (encoded(Image.new("RGB", (64, 64)))[:60], "cannot be read as an image"),
    ],
    ids=["empty", "text", "too many pixels", "a bomb", "cut short"],
)
def test_a_file_that_is_no_image_is_named_with_the_reason(raw: bytes, words: str) -> None:
    with pytest.raises(BadImage, match=words) as error:
        decode(raw, "photo 7")
    assert "photo 7" in str(error.value)


@pytest.mark.parametrize(("size", "channels"), [(0, 1), (-5, 3), (100_000, 1), (32, 2), (32, 4)])
def test_images_that_cannot_be_made_are_refused(size: int, channels: int) -> None:
    with pytest.raises(DataError):
        check_format(size, channels)


GOOD = encoded(grey([[0, 64], [128, 255]], np.uint8))


@settings(max_examples=60)
@given(st.integers(0, len(GOOD)), st.binary(max_size=12), st.integers(0, len(GOOD)))
def test_a_damaged_file_is_read_or_refused_in_a_sentence(cut: int, junk: bytes, at: int) -> None:
    raw = (GOOD[:at] + junk + GOOD[at + len(junk) :])[: cut or len(GOOD)]
    said = ""
    try:
        assert decode(raw, "an image").dtype == np.uint8
    except BadImage as error:
        said = str(error)
    assert "\n" not in said


# -- keyed colors, profiles, LAB, and what Pillow would run ---------------------------------------------------


def test_a_transparent_value_outside_a_palette() -> None:
    assert pixels(encoded(grey([[5, 6]], np.uint8), transparency=5)) == [[255], [6]]
    assert pixels(encoded(grey([[257, 514]], np.uint16), transparency=257)) == [[255], [2]]
    color = Image.fromarray(np.array([[[250, 0, 0], [1, 2, 3]]], np.uint8))
    assert pixels(encoded(color, transparency=(250, 0, 0))) == [[255, 255, 255], [1, 2, 3]]


def test_lab() -> None:
    # L = 100 * 128 / 255 = 50 is the grey of 18.4 % light: 119 in sRGB
    assert pixels(encoded(Image.frombytes("LAB", (1, 1), b"\x80\0\0"), "TIFF")) == [[119, 119, 119]]


def linear_profile(space: bytes) -> bytes:
    """An ICC profile of linear light: sRGB's primaries (adapted to D50), and curves that are straight lines."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in (x, y, z))

    straight = b"curv\0\0\0\0" + struct.pack(">I", 0)
    white = xyz(0.9642, 1.0, 0.8249)
    text = b"linear\0"
    about = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags = {b"desc": about, b"wtpt": white}
    if space == b"GRAY":
        tags |= {b"kTRC": straight}
    else:
        tags |= {b"rTRC": straight, b"gTRC": straight, b"bTRC": straight}
        tags |= {b"rXYZ": xyz(0.4361, 0.2225, 0.0139), b"gXYZ": xyz(0.3851, 0.7169, 0.0971)}
        tags |= {b"bXYZ": xyz(0.1431, 0.0606, 0.7141)}
    table, data, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += padded
    size = struct.pack(">I", 128 + len(table) + len(data))
    head = size + b"lcms" + b"\x02\x10\0\0" + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(struct.pack(">i", round(v * 65536)) for v in (0.9642, 1.0, 0.8249))
    return head + bytes(128 - len(head)) + table + data


def test_a_profile_is_followed_to_srgb() -> None:
    # 55 / 255 = 0.216 of the light is 1.055 * 0.216^(1 / 2.4) - 0.055 = 0.502 in sRGB: 128
    color = Image.fromarray(np.array([[[55, 55, 55], [0, 255, 255]]], np.uint8))
    same, cyan = pixels(encoded(color, icc_profile=linear_profile(b"RGB ")))
    assert np.abs(np.array(same) - 128).max() <= 1
    assert np.abs(np.array(cyan) - (0, 255, 255)).max() <= 1
    (value,) = pixels(encoded(grey([[55]], np.uint8), icc_profile=linear_profile(b"GRAY")))
    assert abs(value[0] - 128) <= 1
    assert pixels(encoded(color, icc_profile=linear_profile(b"GRAY")))[0] == [
        55,
        55,
        55,
    ]  # does not fit: ignored


def test_a_postscript_file_is_not_run() -> None:
    with pytest.raises(BadImage, match="it is no PNG, JPEG"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) print\n", "a.png")


def test_a_large_empty_picture_is_no_bomb() -> None:
    assert decode(encoded(Image.new("1", (4000, 4000))), "empty.png").shape == (4000, 4000, 1)
