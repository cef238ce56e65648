"""The pixels of an image file, in whatever mode Pillow opens it: grey or RGB, one byte a value.

- An animation is its first frame; a photo is turned as its camera says (EXIF).
- A color profile (ICC) is followed to sRGB; one that cannot be used is ignored.
- Transparency is composed over GROUND before pixels are mixed, so that hidden colors never show.
- Grey values of 16 or 32 bits and floats are scaled to 0 ... 255; `_eight_bits` says by what.
"""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from ddpm_lib.data.errors import BadImage, DataError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF")  # Pillow would run Ghostscript for an EPS
GROUND = "white"  # what shows through where an image is transparent
WIDEST = 4096  # side, in pixels, of the images that a network is trained on
MOST_PIXELS = 2**27  # of a file
PER_BYTE = (
    10_000  # pixels that a byte of a file may stand for, beyond the first million: an empty PNG has 8,000
)
GREYS = {"1", "L", "LA", "La", "F"}  # and those that begin with I
SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}  # of a profile that fits the mode


def check_format(size: int, channels: int | None) -> None:
    """Raises DataError for images of a size or a number of channels that cannot be made."""
    if not hasattr(size, "__index__") or not 1 <= size <= WIDEST:
        raise DataError(f"Images cannot be {size} pixels wide: choose a size from 1 to {WIDEST}.")
    if channels not in (None, 1, 3):
        raise DataError(f"Images have 1 channel (grey) or 3 (color), and not {channels}: pass 1 or 3.")


def read_image(file: Path, size: int, channels: int = 3) -> UInt8[Tensor, "c size size"]:
    """The center square of an image file, resized. Raises BadImage."""
    image = _picture(file, str(file), square=True).convert("L" if channels == 1 else "RGB")
    array = np.array(image.resize((size, size), Image.Resampling.LANCZOS))
    return torch.from_numpy(array.reshape(size, size, -1)).permute(2, 0, 1)


def decode(image: bytes, where: str) -> UInt8[np.ndarray, "h w c"]:
    """The pixels of an encoded image: one channel where it is stored as grey, else three. Raises BadImage."""
    pixels = np.array(_picture(image, where))
    return pixels.reshape(*pixels.shape[:2], -1)


def is_color(file: Path) -> bool:
    """Whether any pixel of an image file is not grey. Raises BadImage."""
    if _picture(file, str(file), only_mode=True).mode == "L":
        return False
    red, green, blue = np.asarray(_picture(file, str(file)).convert("RGB")).transpose(2, 0, 1)
    return bool((red != green).any() or (green != blue).any())


def _picture(source: Path | bytes, where: str, square: bool = False, only_mode: bool = False) -> Image.Image:
    """A file's picture in mode L or RGB; its center square; or an empty one of the right mode, at little cost."""
    try:
        raw = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with raw, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Pillow's, on sizes and on metadata: what matters is refused below
            length = raw.seek(0, io.SEEK_END)
            raw.seek(0)
            if not length:
                raise ValueError("it is empty")
            with Image.open(raw, formats=FORMATS) as opened:
                _check_size(*opened.size, length)
                if only_mode:
                    grey = opened.mode in GREYS or opened.mode.startswith("I")
                    return Image.new("L" if grey else "RGB", (1, 1))
                opened.load()
                wide = opened.format == "PNG"  # 16 bits, in a Pillow that opens them in mode I
                image = ImageOps.exif_transpose(opened)
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        return _plain(image.crop((left, top, left + side, top + side)) if square else image, wide)
    except UnidentifiedImageError as error:
        raise BadImage(where, "it is no PNG, JPEG, WebP, BMP, GIF or TIFF") from error
    except MemoryError:
        raise  # the machine's fault, and not the image's: it must not be left out as unreadable
    except (
        Exception
    ) as error:  # a broken file makes Pillow raise anything: OSError, SyntaxError, struct.error ...
        reason = str(getattr(error, "strerror", None) or error) or type(error).__name__
        raise BadImage(where, " ".join(reason.split())) from error


def _check_size(width: int, height: int, length: int) -> None:
    """Before any memory is taken: no more than the file can hold, however small it is packed."""
    if not width * height:
        raise ValueError("it has no pixels")
    if width * height > MOST_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels are too many: make it smaller, to {MOST_PIXELS:,} at most"
        )
    if width * height > 2**20 + PER_BYTE * length:
        raise ValueError(f"its {length:,} bytes cannot hold the {width} x {height} pixels that they claim")


def _plain(image: Image.Image, wide: bool) -> Image.Image:
    """Mode L or RGB, in sRGB, nothing transparent."""
    color, opaque = image, None
    if image.mode == "F" or image.mode.startswith("I"):
        color = _eight_bits(image, wide)
        if isinstance(key := image.info.get("transparency"), int):
            opaque = Image.fromarray(np.where(np.asarray(image) == key, 0, 255).astype(np.uint8))
    elif image.has_transparency_data:
        both = image.convert("LA" if image.mode in GREYS else "RGBA")
        color, opaque = both.convert("L" if both.mode == "LA" else "RGB"), both.getchannel("A")
    elif image.mode not in SPACES:
        color = image.convert("L" if image.mode == "1" else "RGB")
    color = _srgb(color, image.info.get("icc_profile"))
    return Image.composite(color, Image.new(color.mode, color.size, GROUND), opaque) if opaque else color


def _eight_bits(image: Image.Image, wide: bool) -> Image.Image:
    """Grey values of many bits as bytes: white, which becomes 255, is the least of those below that no pixel exceeds.

    65535 for 16 bits; 255 or 65535 for 32-bit integers; 1, 255 or 65535 for floats.
    """
    values = np.asarray(image)
    whites = [65535] if wide or image.mode.startswith("I;16") else [255, 65535]
    whites = [1, *whites] if image.mode == "F" else whites
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 65535):
        raise ValueError("its grey values are not finite numbers from 0 to 65535: scale them to that")
    white = next(white for white in whites if values.max() <= white)
    return Image.fromarray((values * np.float32(255 / white) + np.float32(0.5)).astype(np.uint8))


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The same picture in the colors that its profile means; LAB has a profile of its own."""
    kept = "L" if image.mode == "L" else "RGB"
    # What ImageCms cannot use: a broken profile, or one of another kind of picture.
    with suppress(ImageCms.PyCMSError, ImportError, OSError, TypeError):
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        else:
            return image.convert(kept)
        name, space = ImageCms.getProfileDescription(source), source.profile.xcolor_space.strip()
        if space == SPACES[image.mode] and not name.startswith("sRGB"):
            target = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    return image.convert(kept)
