"""Image files of one's own: which there are below a folder, and the pixels of one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"}


class DataError(Exception):
    """Data that cannot be had or read; the message says what to do."""


def list_images(root: Path) -> tuple[list[str], tuple[str, ...]]:
    """The image files below `root`, relative to it and sorted, and the classes: its subfolders that hold any.

    No classes where an image lies in `root` itself. Raises DataError for a folder without images.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: pass 'mnist', 'fashion-mnist' or a folder of images.")
    found = (
        os.path.relpath(os.path.join(folder, file), root)
        for folder, _, files in os.walk(root)
        for file in files
        if os.path.splitext(file)[1].lower() in SUFFIXES
    )
    files = sorted(found, key=lambda file: file.split(os.sep))
    if not files:
        raise DataError(f"{root} holds no images: put {', '.join(sorted(SUFFIXES))} files there.")
    labelled = all(os.sep in file for file in files)
    return files, tuple(sorted({file.split(os.sep)[0] for file in files})) if labelled else ()


def read_image(file: Path, size: int, grey: bool = False) -> UInt8[Tensor, "c size size"]:
    """The centre square of an image file, resized; 3 channels, or 1 if `grey`."""
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)  # a camera may store a photo lying on its side
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.convert("L" if grey else "RGB").crop((left, top, left + side, top + side))
            array = np.array(square.resize((size, size), Image.Resampling.LANCZOS))
    except (
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:  # Pillow raises SyntaxError for a broken chunk of a PNG
        raise DataError(f"{file} cannot be read as an image: mend it or take it away.") from error
    return torch.from_numpy(array.reshape(size, size, -1)).permute(2, 0, 1)
