"""Color profiles, LAB and transparent values."""

import struct

import numpy as np
from PIL import Image

from tests.encoded import encoded, grey, pixels


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
