"""A folder of images written to shards, one image in memory at a time."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int
from PIL import Image

from ddpm_lib import class_names, shown
from ddpm_lib.data.errors import BadImage, DataError
from ddpm_lib.data.folder import channels_of, kept
from ddpm_lib.data.photos import Photos, find_photos
from ddpm_lib.data.pixels import check_format, read_image
from ddpm_lib.data.stream.index import Index, write_index
from ddpm_lib.data.stream.tars import library


def write_shards(
    source: str | Path,
    target: str | Path,
    size: int = 32,
    each: int | None = None,
    channels: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
) -> Iterator[Index]:
    """Write the images below `source` to shards in `target`, one image in memory at a time.

    Center squares, resized, channels and classes as in `data.image_folder`, as PNG: no pixel changes. The images are
    shuffled, so that a shard holds all classes. `each` images go into a shard (default: a 64th of all, at least 16
    and at most 1000 or 16 MB of pixels). Yields the index so far after each shard. What ends
    early leaves nothing. Raises DataError, at the end for files that cannot be read: it names them, or `skip_bad`
    leaves them out; and OSError where `target` cannot be written.
    """
    library()
    check_shards(size, each, channels, seed)
    root, target = Path(source), Path(target)
    part = target.with_name(target.name + ".part")
    for path in (target, part):
        if path.exists():
            raise DataError(f"{shown(path)} exists already: name a new folder for the shards, or remove it.")
    photos = find_photos(root, skip_bad)
    files, bad = photos.files, dict[str, BadImage]()
    order = np.random.default_rng(seed).permutation(len(files))
    channels = channels or channels_of(photos)
    each = each or max(16, min(1000, len(files) // 64, 2**24 // (size * size * channels)))
    part.mkdir(parents=True)
    try:
        index = yield from _written(part, photos, order, size, channels, each, bad)
        kept(photos, bad, skip_bad)
        write_index(part, index)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # where it has not become the target


def _written(
    part: Path,
    photos: Photos,
    order: Int[np.ndarray, " n"],
    size: int,
    channels: int,
    each: int,
    bad: dict[str, BadImage],
) -> Generator[Index, None, Index]:
    """Write the photos in this order to shards in `part`, and the bad ones to `bad`: the index so far, after each."""
    files, labels, shards = photos.files, photos.labels(), list[tuple[str, int]]()
    for first in range(0, len(files), each):
        name, count = f"{len(shards):06d}.tar", 0
        with (part / name).open("wb") as file, library().TarWriter(file, mtime=0) as tar:
            for number in range(first, min(first + each, len(files))):
                image = order[number]
                try:
                    sample = {
                        "__key__": f"{number:08d}",
                        "png": _png(photos.root / files[image], size, channels),
                    }
                except BadImage as error:
                    bad[files[image]] = error
                    continue
                if labels:
                    sample["cls"] = str(labels[image]).encode()
                tar.write(sample)
                count += 1
        shards.append((name, count))
        yield (index := Index(size, channels, class_names(photos.classes), tuple(shards)))
    return index


def check_shards(size: int, each: int | None, channels: int | None, seed: int) -> None:
    """Raises DataError for numbers that no shards can be written with."""
    check_format(size, channels)
    if each is not None and each < 1:
        raise DataError(f"A shard cannot hold {each} images: pass 1 or more to --each, or leave it out.")
    if not 0 <= seed < 2**63:
        raise DataError(f"{seed} is no seed: choose a whole number from 0 to 2^63 - 1.")


def _png(file: Path, size: int, channels: int) -> bytes:
    pixels = read_image(file, size, channels).permute(1, 2, 0).numpy()
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(out, "PNG")
    return out.getvalue()
