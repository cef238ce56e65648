"""A folder of images as shards: tar files of a thousand images each, which are read from front to back.

A shard is what webdataset reads and writes: `00000012.png` and `00000012.cls` (the class, a number) side by side.
`index.json` beside the shards says how many images there are, of which size, and what the classes are called.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ddpm_lib import class_names, shown
from ddpm_lib.data.errors import DataError, counted, note, some
from ddpm_lib.data.pixels import check_format, decode
from ddpm_lib.data.stream.tars import samples

INDEX = "index.json"
FORMAT = "ddpm_lib.shards/1"
LEAST = 1024  # bytes of a tar that an image takes: a header and a block


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

    def __str__(self) -> str:
        """One line: how many images, in how many shards, of which classes."""
        names = f" ({some(self.classes)})" if self.classes else ""
        return (
            f"{counted(len(self), 'image')} in {counted(len(self.shards), 'shard')}, "
            f"{counted(len(self.classes), 'class', 'classes') if self.classes else 'no classes'}{names}"
        )


def write_index(folder: Path, index: Index) -> None:
    """The index as JSON, written beside its place and moved there whole."""
    part = folder / f"{INDEX}.part"
    part.write_text(json.dumps({"format": FORMAT, "count": len(index), **asdict(index)}, indent=1) + "\n")
    os.replace(part, folder / INDEX)


def read_index(folder: Path, write: bool = True) -> Index:
    """What index.json says; where there is none, one pass over the shards finds out, and writes it if `write`."""
    names = sorted(path.name for path in folder.glob("*.tar"))
    if not names:
        raise DataError(
            f"{shown(folder)} holds no shards: write some with `python -m ddpm_lib shard PHOTOS {shown(folder)}`."
        )
    if not (folder / INDEX).is_file():
        index = _count(folder, names)
        if write:
            try:
                write_index(folder, index)
            except OSError as error:  # as on a disk that is mounted to be read
                note(
                    f"{shown(folder)} keeps no {INDEX} ({error.strerror}): its shards are counted at every start."
                )
        return index
    try:
        index = _parsed(json.loads((folder / INDEX).read_bytes()))
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(
            f"{shown(folder / INDEX)} is not an index of shards ({shown(error)}): remove it, and it is made anew."
        ) from error
    if [name for name, _ in index.shards] != names:
        raise DataError(
            f"{shown(folder)} holds {counted(len(names), 'shard')}, and not the {len(index.shards)} of its {INDEX}: "
            f"put back what is missing, or remove {INDEX}, and it is made anew."
        )
    for name, count in index.shards:
        if count * LEAST > (folder / name).stat().st_size:
            raise DataError(
                f"{shown(folder / name)} is not a whole shard, but too small for {count:,} images: "
                f"copy or write it again, or remove {INDEX}, and it is made anew."
            )
    return index


def is_index(file: Path) -> bool:
    """Whether a file is an index that `write_index` wrote; other programs have an index.json too."""
    try:
        raw = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and raw.get("format") == FORMAT


def _parsed(raw: Any) -> Index:
    """The index in parsed JSON. Raises KeyError, TypeError, ValueError or DataError."""
    shards = tuple((_a(str, name), _a(int, count)) for name, count in raw["shards"])
    for name, count in shards:
        if Path(name).name != name or "\\" in name or count < 0:
            raise ValueError(f"{name!r} with {count} images is no shard beside it")
    classes = class_names(_a(str, each) for each in _a(list, raw["classes"]))
    if len(set(classes)) < len(classes):
        raise ValueError("two of its classes have one name")
    index = Index(_a(int, raw["size"]), _a(int, raw["channels"]), classes, shards)
    check_format(index.size, index.channels)
    return index


def _a(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.50} where {kind.__name__} is expected")
    return value


def _count(folder: Path, names: list[str]) -> Index:
    """The index of shards that came without one: their images have the size of the first."""
    shards, classes, labelled, shape = [], 0, None, None
    for name in names:
        count = 0
        for key, image, label in samples(folder / name):
            where = f"{key} in {shown(folder / name)}"
            shape = shape or decode(image, where).shape
            labelled = label is not None if labelled is None else labelled
            if (label is not None) != labelled:
                raise DataError(
                    f"{where} has {'a label' if label is not None else 'no label'}, unlike the images before it: give "
                    "every image a .cls, or none."
                )
            classes, count = max(classes, 0 if label is None else label + 1), count + 1
        shards.append((name, count))
    if shape is None:
        raise DataError(f"The shards in {shown(folder)} hold no images: look what is in them with `tar tf`.")
    if shape[0] != shape[1]:
        raise DataError(
            f"The first image in {shown(folder)} has {shape[0]} rows and {shape[1]} columns: write the shards again "
            "with square images, for example with `python -m ddpm_lib shard`."
        )
    check_format(shape[0], shape[2])
    return Index(shape[0], shape[2], tuple(map(str, range(classes))), tuple(shards))
