"""Images by name: a data set that comes with the course, or a folder of one's own, loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

from ddpm_lib import class_names, shown
from ddpm_lib.data.errors import BadImage, DataError, counted, note, some
from ddpm_lib.data.idx import fashion_mnist, mnist
from ddpm_lib.data.images import ImageData
from ddpm_lib.data.memory import check_memory
from ddpm_lib.data.photos import Photos, find_photos, watched
from ddpm_lib.data.pixels import check_format, is_color, read_image

BUILT_IN = {"mnist": mnist, "fashion-mnist": fashion_mnist}


def load_data(
    name: str,
    train: bool = True,
    size: int | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    say: Callable[[str], object] = note,
) -> ImageData:
    """`mnist`, `fashion-mnist`, or what `image_folder` reads (of 32 pixels, if `size` is None)."""
    if not str(name):
        raise DataError("The data have no name: pass 'mnist', 'fashion-mnist' or a folder of images.")
    if name not in BUILT_IN:
        return image_folder(name, 32 if size is None else size, channels, skip_bad, say)
    if size not in (None, 28) or channels not in (None, 1):
        asked = f"{size or 28} pixels wide with {counted(channels or 1, 'channel')}"
        other = f" (the folder of that name is {os.curdir}/{name})" if Path(name).is_dir() else ""
        raise DataError(
            f"The images of {name} are 28 pixels wide and grey, and not {asked}: leave out --size and --channels, or "
            f"choose a network or data that fit{other}."
        )
    if Path(name).is_dir():
        say(
            f"{name} is the data set that comes with the course; the folder of that name is {os.curdir}/{name}."
        )
    return BUILT_IN[name](train)


def image_folder(
    path: str | Path,
    size: int = 32,
    channels: int | None = None,
    skip_bad: bool = False,
    say: Callable[[str], object] = note,
) -> ImageData:
    """The images below `path`, center squares resized to size x size; subfolders, if any, are the classes.

    `channels` is 1 or 3; None takes 1 where all images are grey, else 3. `say` gets the line that tells what was found
    and what was left out. Raises DataError, which names the files that cannot be read; `skip_bad` leaves them out.
    """
    check_format(size, channels)
    photos = find_photos(Path(path), skip_bad)
    channels = channels or channels_of(photos)
    check_memory(
        len(photos.files) * channels * size * size,
        "These images",
        "choose a smaller --size, or stream them from shards (`python -m ddpm_lib shard`)",
    )
    pixels, bad = list[torch.Tensor](), dict[str, BadImage]()
    for file in watched(photos.files, "reading", "image"):
        try:
            pixels.append(read_image(photos.root / file, size, channels))
        except BadImage as error:
            bad[file] = error
    photos = kept(photos, bad, skip_bad)
    say(str(photos))
    y = photos.labels()
    return ImageData(
        torch.stack(pixels),
        None if y is None else torch.tensor(y),
        photos.root.name,
        class_names(photos.classes),
    )


def channels_of(photos: Photos) -> int:
    """3 where any of the images has color, else 1. What cannot be read is not asked."""
    for file in watched(photos.files, "looking for color", "image"):
        try:
            if is_color(photos.root / file):
                return 3
        except BadImage:
            continue
    return 1


def kept(photos: Photos, bad: dict[str, BadImage], skip_bad: bool) -> Photos:
    """The photos without the bad ones; DataError, which names them, unless the user skips them and some are left."""
    named = some([f"{error.where} ({error.reason})" for error in bad.values()])
    if bad and not skip_bad:
        many = len(bad) > 1
        subject = f"{len(bad):,} files" if many else next(iter(bad.values())).where
        which = "as images: replace them or take them" if many else "as an image: replace it or take it"
        raise DataError(
            f"{subject} cannot be read {which} away, or pass --skip-bad (skip_bad=True); {named}."
        )
    if len(bad) == len(photos.files):
        raise DataError(f"{shown(photos.root)} holds no image that can be read; {named}.")
    return photos.without(bad) if bad else photos
