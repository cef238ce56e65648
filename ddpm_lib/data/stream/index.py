"""A folder of images as shards: tar files of a thousand images each, which are read from front to back.

A shard is what webdataset reads and writes: `00000012.png` and `00000012.cls` (the class, a number) side by side.
`index.json` beside the shards says how many images there are, of which size, and what the classes are called.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ddpm_lib.data.photos import SUFFIXES, DataError

INDEX = "index.json"
FORMAT = "ddpm_lib.shards/1"
IMAGES = {suffix.removeprefix(".") for suffix in SUFFIXES}
Pixels = UInt8[np.ndarray, "h w c"]


@dataclass(frozen=True)
class Index:
    """What is in a folder of shards."""

    size: int  # height and width of an image
    channels: int  # 1 or 3
    classes: tuple[str, ...]  # their names; none for images without labels
    shards: tuple[tuple[str, int], ...]  # (file name, images in it)

    def __len__(self) -> int:
        """Images in all shards."""
        return sum(count for _, count in self.shards)


def write_index(folder: Path, index: Index) -> None:
    """The index as JSON, written beside its place and moved there whole."""
    part = folder / f"{INDEX}.part"
    part.write_text(json.dumps({"format": FORMAT, "count": len(index), **asdict(index)}, indent=1) + "\n")
    os.replace(part, folder / INDEX)


def read_index(folder: Path) -> Index:
    """What index.json says; where there is none, one pass over the shards finds out, and writes it."""
    names = sorted(path.name for path in folder.glob("*.tar"))
    if not names:
        raise DataError(
            f"{folder} holds no shards: write some with `python -m ddpm_lib shard PHOTOS {folder}`."
        )
    if not (folder / INDEX).is_file():
        index = _count(folder, names)
        write_index(folder, index)
        return index
    try:
        raw = json.loads((folder / INDEX).read_text())
        shards = tuple((str(name), int(count)) for name, count in raw["shards"])
        index = Index(int(raw["size"]), int(raw["channels"]), tuple(raw["classes"]), shards)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{folder / INDEX} is not an index of shards ({error}): remove it, and it is made anew."
        ) from error
    if [name for name, _ in shards] != names:
        raise DataError(
            f"{folder} holds {len(names)} shards, and not those {len(shards)} of its {INDEX}: put back what is "
            f"missing, or remove {INDEX}, and it is made anew."
        )
    return index


def _count(folder: Path, names: list[str]) -> Index:
    """The index of shards that came without one: their images have the size of the first."""
    shards, classes, labelled, shape = [], 0, None, None
    for name in names:
        count = 0
        for key, image, label in samples(folder / name):
            shape = shape or decode(image, f"{key} in {folder / name}").shape
            labelled = label is not None if labelled is None else labelled
            if (label is not None) != labelled:
                raise DataError(
                    f"{key} in {folder / name} has {'a label' if label is not None else 'no label'}, unlike the images "
                    "before it: give every image a .cls, or none."
                )
            classes, count = max(classes, 0 if label is None else label + 1), count + 1
        shards.append((name, count))
    if shape is None:
        raise DataError(f"The shards in {folder} hold no images: look what is in them with `tar tf`.")
    return Index(shape[0], shape[2], tuple(map(str, range(classes))), tuple(shards))


def samples(shard: Path) -> Iterator[tuple[str, bytes, int | None]]:
    """(key, encoded image, label or None) of each image in a shard, in the order of the file.

    Only images and .cls are looked at: webdataset would unpickle some other files, and is not asked to.
    """
    library()
    from webdataset.tariterators import group_by_keys, tar_file_expander

    try:
        with shard.open("rb") as file:
            for sample in group_by_keys(tar_file_expander([{"url": shard.name, "stream": file}])):
                image = next((sample[suffix] for suffix in sample if suffix in IMAGES), None)
                if image is not None:
                    label = sample.get("cls")
                    yield sample["__key__"], image, None if label is None else int(label)
    except FileNotFoundError as error:
        raise DataError(
            f"{shard} does not exist: put it back, or remove {INDEX}, and it is made anew."
        ) from error
    except (tarfile.TarError, EOFError, ValueError) as error:
        reason = " ".join(str(error.args[0] if error.args else error).split())
        raise DataError(f"{shard} is not a whole shard ({reason}): copy it or write it again.") from error


def decode(image: bytes, where: str) -> Pixels:
    """The pixels of an encoded image, grey or RGB."""
    try:
        with Image.open(io.BytesIO(image)) as opened:
            pixels = np.array(opened.convert("L" if opened.mode in ("1", "L") else "RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{where} cannot be read as an image: mend it or take it away.") from error
    return pixels.reshape(*pixels.shape[:2], -1)


def library() -> Any:
    """webdataset, or a DataError that says how to get it."""
    try:
        import webdataset
    except ImportError as error:
        raise DataError("Shards need webdataset: pip install 'ddpm-lib[stream]'.") from error
    return webdataset
