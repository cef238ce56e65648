"""One door to all images: those that are loaded whole, and those that are streamed from shards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from ddpm_lib import shown
from ddpm_lib.data.errors import DataError, note
from ddpm_lib.data.folder import BUILT_IN, load_data
from ddpm_lib.data.images import Batches, ImageData
from ddpm_lib.data.photos import walk
from ddpm_lib.data.stream.batches import Batch, StreamedBatches
from ddpm_lib.data.stream.index import INDEX, is_index, read_index
from ddpm_lib.data.stream.shards import Shards

Images = ImageData | Shards  # both have `shape`, `classes`, `len()` and `head(n)`


def open_images(
    name: str,
    train: bool = True,
    size: int | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    write: bool = True,
    say: Callable[[str], object] = note,
) -> Images:
    """A folder that holds shards, opened; else what `data.load_data` loads. `size` None is 32, or the shards' own.

    Shards that came without an index get one, unless `write` is False. `say` gets a line on what was found.
    """
    folder = Path(name)
    if name in BUILT_IN or not holds_shards(folder):
        return load_data(name, train, size, channels, skip_bad, say)
    shards = Shards(folder, read_index(folder, write))
    say(f"{shown(folder)}: {shards.index}")
    for wanted, found, what, option in (
        (size, shards.index.size, "pixels wide", "size"),
        (channels, shards.index.channels, "channels deep", "channels"),
    ):
        if wanted not in (None, found):
            raise DataError(
                f"The images in {shown(name)} are {found} {what}, and not {wanted}: leave out --{option}, or write "
                f"other shards with `shard --{option} {wanted}`."
            )
    return shards


def holds_shards(folder: Path) -> bool:
    """Whether a folder holds shards: an index that `shard` wrote; or tars, or any index, and no image beside them."""
    if is_index(folder / INDEX):
        return True
    if not any(folder.glob("*.tar")) and not (folder / INDEX).is_file():
        return False
    return all(why for _, why in walk(folder))


def batches_of(
    data: Images,
    size: int,
    seed: int = 0,
    device: torch.device | str = "cpu",
    rank: int = 0,
    world: int = 1,
) -> Callable[[int], Batch]:
    """What `train` draws from: this process's share of each batch, on the device."""
    if isinstance(data, Shards):
        return StreamedBatches(data, size, seed, device, rank, world)
    return Batches(data.to(device), size, seed, rank, world)
