"""One door to all images: those that are loaded whole, and those that are streamed from shards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ddpm_lib.data import Batches, DataError, ImageData, load_data
from ddpm_lib.data.stream.batches import StreamedBatches
from ddpm_lib.data.stream.index import INDEX, read_index
from ddpm_lib.data.stream.shards import Shards

Batch = tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"] | None]
Images = ImageData | Shards  # both have `shape`, `classes`, `len()` and `head(n)`


def open_images(name: str, train: bool = True, size: int | None = None) -> Images:
    """A folder that holds shards, opened; else what `data.load_data` loads. `size` None is 32, or the shards' own."""
    folder = Path(name)
    if not any(folder.glob("*.tar")) and not (folder / INDEX).is_file():
        return load_data(name, train, 32 if size is None else size)
    shards = Shards(folder, read_index(folder))
    if size not in (None, shards.index.size):
        raise DataError(
            f"The images in {name} are {shards.index.size} pixels wide, and not {size}: leave out --size, or write "
            f"other shards with `shard --size {size}`."
        )
    return shards


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
