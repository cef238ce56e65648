"""Images to train on: MNIST (inside the package), Fashion-MNIST, or a folder of one's own.

Pixels are kept as bytes and become x_0, floats in [-1, 1], when a batch is drawn.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from ddpm_lib.data.photos import DataError as DataError
from ddpm_lib.data.photos import list_images, read_image

ASSETS = Path(__file__).parent.parent / "assets"


@dataclass(frozen=True, eq=False)
class ImageData:
    """n images of c channels, and their labels where they have any."""

    pixels: UInt8[Tensor, "n c h w"]
    y: Int[Tensor, " n"] | None
    name: str
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """(c, h, w) of one image."""
        return tuple(self.pixels.shape[1:])

    def head(self, n: int) -> ImageData:
        """The first n images (all of them where there are fewer)."""
        return ImageData(self.pixels[:n], None if self.y is None else self.y[:n], self.name, self.classes)

    def x0(self, index: Int[Tensor, " b"] | slice | None = None) -> Float[Tensor, "b c h w"]:
        """The images at `index` (all of them for None) as float32 in [-1, 1]."""
        return to_x0(self.pixels if index is None else self.pixels[index])

    def to(self, device: torch.device | str) -> ImageData:
        """The same data, resident on another device."""
        y = None if self.y is None else self.y.to(device)
        return ImageData(self.pixels.to(device), y, self.name, self.classes)


def to_x0(pixels: UInt8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Bytes 0 ... 255 to [-1, 1].

    Book: eq-pixels (Ho et al. 2020, section 3.3).
    """
    return pixels.float() / 127.5 - 1


def to_pixels(x: Float[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """[-1, 1] to bytes; what lies outside is clipped. The inverse of `to_x0`."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


@dataclass(frozen=True, eq=False)
class Batches:
    """Batch number `step` of endless epochs, as a function of the step: resuming needs no replay.

    An epoch is one permutation of the data, drawn from (seed, epoch); a last short batch is left out.
    Of `world` processes, number `rank` gets its part of that very batch: size / world images of it.
    """

    data: ImageData
    size: int
    seed: int = 0
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.size <= len(self.data):
            raise DataError(
                f"A batch of {self.size} cannot be drawn from {len(self.data)} images: "
                f"choose a batch size from 1 to {len(self.data)}."
            )
        if not 0 <= self.rank < self.world or self.size % self.world:
            raise DataError(
                f"Process {self.rank} of {self.world} has no equal part of a batch of {self.size}: number the "
                f"processes from 0 to {self.world - 1}, and choose a batch size that is a multiple of {self.world}."
            )

    @property
    def an_epoch(self) -> int:
        """Batches in one pass over the data."""
        return len(self.data) // self.size

    def __call__(self, step: int) -> tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"] | None]:
        """(x0, y) of batch `step` = 0, 1, 2 ..., or this process's part of it, on the data's device."""
        epoch, i = divmod(step, self.an_epoch)
        order = _permutation(len(self.data), self.seed, epoch, self.data.pixels.device)
        part = self.size // self.world
        first = i * self.size + self.rank * part
        index = order[first : first + part]
        return self.data.x0(index), None if self.data.y is None else self.data.y[index]


@lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int, device: torch.device) -> Int[Tensor, " n"]:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(n, generator=generator).to(device)


# -- MNIST and its relatives ---------------------------------------------------------------------------------


def mnist(train: bool = True) -> ImageData:
    """MNIST's 60,000 training or 10,000 test digits (LeCun et al. 1998), 28 x 28, from the package itself."""

    def read(name: str) -> np.ndarray:
        return parse_idx(lzma.decompress(verified(ASSETS / "mnist" / f"{name}.xz")), name)

    pixels, y = (read(name) for name in idx_names(train))
    return _idx_data(pixels, y, "mnist", tuple("0123456789"))


def verified(path: Path) -> bytes:
    """The bytes of one of the package's assets. Refused unless they have the sha256 in SHA256SUMS beside it."""
    lines = (path.parent / "SHA256SUMS").read_text().splitlines()
    sums = {name: sha256 for sha256, name in map(str.split, lines)}
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != sums.get(path.name):
        raise DataError(f"{path} does not have its published checksum: reinstall ddpm-lib.")
    return raw


def idx_names(train: bool) -> tuple[str, str]:
    """The names of the image and label files of an MNIST-like set."""
    split = "train" if train else "t10k"
    return f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"


def parse_idx(raw: bytes, name: str) -> np.ndarray:
    """The array in an idx file of unsigned bytes: magic 0x0000080d, d sizes, then the bytes."""
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f"{name} is not an idx file of bytes: fetch it again.")
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    if len(raw) != 4 + 4 * raw[3] + int(np.prod(shape)):
        raise DataError(f"{name} is cut short: it holds {len(raw)} bytes. Fetch it again.")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def _idx_data(pixels: np.ndarray, y: np.ndarray, name: str, classes: tuple[str, ...]) -> ImageData:
    return ImageData(
        torch.from_numpy(pixels.copy())[:, None], torch.from_numpy(y.astype(np.int64)), name, classes
    )


FASHION = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


def fashion_mnist(train: bool = True, folder: str | Path | None = None) -> ImageData:
    """Fashion-MNIST (Xiao et al. 2017): `folder`, else its usual places, else a download (see `fetch`)."""
    from ddpm_lib.data.fetch import fashion_folder

    where = Path(folder) if folder is not None else fashion_folder(idx_names(train))

    def read(name: str) -> np.ndarray:
        path = where / f"{name}.gz"
        if not path.is_file():
            raise DataError(
                f"{path} does not exist: name a folder that holds Fashion-MNIST's four .gz files."
            )
        try:
            return parse_idx(gzip.decompress(path.read_bytes()), name)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path} is not a whole gzip file: fetch it again.") from error

    pixels, y = (read(name) for name in idx_names(train))
    return _idx_data(pixels, y, "fashion-mnist", FASHION)


# -- one's own images ----------------------------------------------------------------------------------------


def image_folder(path: str | Path, size: int = 32, grey: bool = False) -> ImageData:
    """The images below `path`, centre squares resized to size x size; subfolders, if any, are the classes."""
    root = Path(path)
    files, classes = list_images(root)
    y = torch.tensor([classes.index(file.split(os.sep)[0]) for file in files]) if classes else None
    pixels = torch.stack([read_image(root / file, size, grey) for file in files])
    return ImageData(pixels, y, root.name, classes)


def load_data(name: str, train: bool = True, size: int = 32) -> ImageData:
    """`mnist`, `fashion-mnist`, or a folder of images."""
    match name:
        case "mnist":
            return mnist(train)
        case "fashion-mnist":
            return fashion_mnist(train)
        case _:
            return image_folder(name, size)
