"""MNIST (inside the package) and Fashion-MNIST: images in LeCun's idx files."""

from __future__ import annotations

import gzip
import io
import lzma
import math
import zlib
from pathlib import Path

import numpy as np
import torch

from ddpm_lib import shown
from ddpm_lib.data.errors import DataError
from ddpm_lib.data.images import ImageData
from ddpm_lib.data.shipped import ASSETS, verified

DIGITS = tuple("0123456789")
FASHION = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
LONGEST = 2**26  # bytes that a file may unpack to: the largest, 60,000 images, has 47 million


def mnist(train: bool = True) -> ImageData:
    """MNIST's 60,000 training or 10,000 test digits (LeCun et al. 1998), 28 x 28, from the package itself."""
    files = (ASSETS / "mnist" / f"{name}.xz" for name in idx_names(train))
    return _data("mnist", DIGITS, *(parse_idx(lzma.decompress(verified(f)), f.stem) for f in files))


def fashion_mnist(train: bool = True, folder: str | Path | None = None) -> ImageData:
    """Fashion-MNIST (Xiao et al. 2017): `folder`, else its usual places, else a download (see `fetch`)."""
    from ddpm_lib.data.fetch import fashion_folder

    where = Path(folder) if folder is not None else fashion_folder(idx_names(train))
    files = (where / f"{name}.gz" for name in idx_names(train))
    return _data("fashion-mnist", FASHION, *(parse_idx(_unpacked(f), f.stem) for f in files))


def idx_names(train: bool) -> tuple[str, str]:
    """The names of the image and label files of an MNIST-like set."""
    split = "train" if train else "t10k"
    return f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"


def parse_idx(raw: bytes, name: str) -> np.ndarray:
    """The array in an idx file of unsigned bytes: magic 0x0000080d, d sizes, then the bytes."""
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or not 1 <= raw[3] <= 4 or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f"{name} is not an idx file of bytes: fetch it again.")
    shape = np.frombuffer(raw, ">u4", count=raw[3], offset=4).tolist()
    if len(raw) != 4 + 4 * raw[3] + math.prod(shape):
        raise DataError(f"{name} is cut short: it holds {len(raw)} bytes. Fetch it again.")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def _unpacked(path: Path) -> bytes:
    if not path.is_file():
        raise DataError(f"{path} does not exist: name a folder that holds Fashion-MNIST's four .gz files.")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): allow it, or fetch it again.") from error
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(LONGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is not a whole gzip file: fetch it again.") from error
    if len(unpacked) > LONGEST:
        raise DataError(f"{path} unpacks to more than {LONGEST:,} bytes: fetch it again.")
    return unpacked


def _data(name: str, classes: tuple[str, ...], pixels: np.ndarray, y: np.ndarray) -> ImageData:
    if pixels.ndim != 3 or y.shape != pixels.shape[:1] or not pixels.size or y.max() >= len(classes):
        raise DataError(
            f"The files of {shown(name)} do not fit together: one image of pixels and one label below {len(classes)} "
            f"are expected per row, and the sizes are {pixels.shape} and {y.shape}. Fetch them again."
        )
    return ImageData(
        torch.from_numpy(pixels.copy())[:, None], torch.from_numpy(y.astype(np.int64)), name, classes
    )
