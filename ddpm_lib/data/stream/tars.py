"""The images in one shard: a tar file that is read from front to back, and is not trusted."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ddpm_lib import shown
from ddpm_lib.data.errors import DataError
from ddpm_lib.data.pixels import SUFFIXES

IMAGES = {suffix.removeprefix(".") for suffix in SUFFIXES}
MOST_CLASSES = 2**16  # a label takes memory for all below it


def samples(shard: Path) -> Iterator[tuple[str, bytes, int | None]]:
    """(key, encoded image, label or None) of each image in a shard, in the order of the file. Raises DataError.

    Only images and .cls are looked at: webdataset would unpickle some other files, and is not asked to.
    """
    library()
    from webdataset.tariterators import group_by_keys

    try:
        for sample in group_by_keys(_members(shard)):
            image = next((sample[suffix] for suffix in sample if suffix in IMAGES), None)
            if image is not None:
                yield shown(sample["__key__"]), image, _label(sample)
    except FileNotFoundError as error:
        raise DataError(
            f"{shown(shard)} does not exist: put it back, or remove index.json, and it is made anew."
        ) from error
    except (
        Exception
    ) as error:  # a broken tar makes tarfile raise anything: TarError, ValueError, RecursionError ...
        reason = shown(error.args[0] if error.args else error)
        raise DataError(
            f"{shown(shard)} is not a whole shard ({reason}): copy it or write it again."
        ) from error


def _members(shard: Path) -> Iterator[dict[str, Any]]:
    """The plain files in a tar, as webdataset's own reader gives them; that one also takes what grows when it is read.

    No links, no folders, nothing compressed or sparse: so no more is read into memory than the file has bytes.
    """
    with shard.open("rb") as file, tarfile.open(fileobj=file, mode="r|", bufsize=2**16) as tar:
        length = os.fstat(file.fileno()).st_size
        for member in tar:
            if not 0 <= member.size <= length:
                raise tarfile.ReadError(f"{member.name} says that it has {member.size} bytes")
            if member.isreg() and not member.issparse() and (content := tar.extractfile(member)):
                data = content.read()
                if len(data) < member.size:
                    raise tarfile.ReadError("it is cut short")
                yield {"fname": member.name, "data": data, "__url__": shard.name}
            tar.members = []  # type: ignore[attr-defined]  # else it would keep all headers


def _label(sample: dict[str, Any]) -> int | None:
    if "cls" not in sample:
        return None
    label = int(sample["cls"])
    if not 0 <= label < MOST_CLASSES:
        raise ValueError(
            f"{sample['__key__']} has the label {label}, and they go from 0 to {MOST_CLASSES - 1}"
        )
    return label


def library() -> Any:
    """webdataset, or a DataError that says how to get it."""
    try:
        import webdataset
    except ImportError as error:
        raise DataError("Shards need webdataset: pip install 'ddpm-lib[stream]'.") from error
    return webdataset
