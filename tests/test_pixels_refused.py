"""A file that is no image, or too large, is refused in a sentence."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ddpm_lib.data.errors import BadImage, DataError
from ddpm_lib.data.pixels import check_format, decode
from tests.encoded import encoded, grey


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


def test_a_postscript_file_is_not_run() -> None:
    with pytest.raises(BadImage, match="it is no PNG, JPEG"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) print\n", "a.png")


def test_a_large_empty_picture_is_no_bomb() -> None:
    assert decode(encoded(Image.new("1", (4000, 4000))), "empty.png").shape == (4000, 4000, 1)
