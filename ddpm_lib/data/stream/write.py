"""A folder of images written to shards, one image in memory at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ddpm_lib.data.photos import DataError, list_images, read_image
from ddpm_lib.data.stream.index import Index, library, write_index


def write_shards(
    source: str | Path,
    target: str | Path,
    size: int = 32,
    each: int | None = None,
    grey: bool = False,
    seed: int = 0,
) -> Iterator[Index]:
    """Write the images below `source` to shards in `target`, one image in memory at a time.

    Centre squares, resized, and classes as in `data.image_folder`, as PNG: no pixel changes. The images are
    shuffled, so that a shard holds all classes. `each` images go into a shard (default: a 64th of all, at least 16
    and at most 1000 or 16 MB of pixels). Yields the index so far after each shard. An interrupted run leaves
    `target` absent. Raises DataError.
    """
    webdataset = library()
    root, target = Path(source), Path(target)
    part = target.with_name(target.name + ".part")
    for path in (target, part):
        if path.exists():
            raise DataError(f"{path} exists already: name a new folder for the shards, or remove it.")
    files, classes = list_images(root)
    order = np.random.default_rng(seed).permutation(len(files))
    channels = 1 if grey else 3
    each = each or max(16, min(1000, len(files) // 64, 2**24 // (size * size * channels)))
    part.mkdir(parents=True)
    shards: list[tuple[str, int]] = []
    for first in range(0, len(files), each):
        name, numbers = f"{len(shards):06d}.tar", range(first, min(first + each, len(files)))
        with (part / name).open("wb") as file, webdataset.TarWriter(file, mtime=0) as tar:
            for number in numbers:
                image = files[order[number]]
                sample = {"__key__": f"{number:08d}", "png": _png(root / image, size, grey)}
                if classes:
                    sample["cls"] = str(classes.index(image.split(os.sep)[0])).encode()
                tar.write(sample)
        shards.append((name, len(numbers)))
        yield Index(size, channels, classes, tuple(shards))
    write_index(part, Index(size, channels, classes, tuple(shards)))
    os.replace(part, target)


def _png(file: Path, size: int, grey: bool) -> bytes:
    pixels = read_image(file, size, grey).permute(1, 2, 0).numpy()
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if grey else pixels).save(out, "PNG")
    return out.getvalue()
