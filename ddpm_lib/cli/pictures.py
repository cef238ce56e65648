"""Where `sample` writes its images: a grid, a folder of single files, or a film of the walk."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from ddpm_lib.cli.common import UsageError
from ddpm_lib.evaluate.generate import save_film, save_grid, save_image
from ddpm_lib.models.place import check_place

FILMS = (".gif", ".webp")
FRAMES = 60  # of a film, at most
DRAWN = re.compile(r"[0-9]{6,20}\.png")  # an image of a seed


@dataclass(frozen=True)
class Places:
    """The places to write to, None for those that were not asked for."""

    grid: Path | None
    folder: Path | None
    film: Path | None
    columns: int

    def frames(self, states: int) -> list[int]:
        """Which of a walk's states are needed: the last, or for a film up to 60, the first and the last among them."""
        if self.film is None:
            return [states - 1]
        n = min(states, FRAMES)
        return [round(i * (states - 1) / max(n - 1, 1)) for i in range(n)]

    def file_of(self, seed: int) -> Path:
        """Where the image of a seed lies in the folder."""
        assert self.folder is not None
        return self.folder / f"{seed:06}.png"

    def drawn(self) -> list[Path]:
        """The files in the folder that are called as images of a seed are."""
        assert self.folder is not None
        files = self.folder.iterdir() if self.folder.is_dir() else ()
        return [file for file in files if DRAWN.fullmatch(file.name) and self.file_of(int(file.stem)) == file]

    def write_each(self, seeds: Sequence[int], images: Float[Tensor, "b c h w"]) -> None:
        """Write images to the folder, if one was asked for. Raises PlaceError."""
        if self.folder is not None:
            for seed, image in zip(seeds, images, strict=True):
                save_image(self.file_of(seed), image)

    def write_all(self, frames: Float[Tensor, "n f c h w"]) -> None:
        """Write the grid and the film, if they were asked for. Raises PlaceError."""
        if self.grid is not None:
            save_grid(self.grid, frames[:, -1], self.columns)
        if self.film is not None:
            save_film(self.film, frames, self.columns)

    def __str__(self) -> str:
        """All of them."""
        return ", ".join(str(place) for place in (self.grid, self.folder, self.film) if place is not None)


def places(args: argparse.Namespace) -> Places:
    """What `args` asks for: a grid where nothing else is named. Raises UsageError and PlaceError."""
    grid = args.grid or (None if args.folder or args.gif else "samples.png")
    if grid and Path(grid).suffix != ".png":
        raise UsageError(f"The grid is written as a PNG, but {grid} does not end in .png: name it so.")
    if args.gif and Path(args.gif).suffix not in FILMS:
        raise UsageError(
            f"A film is a GIF or a WebP, but {args.gif} does not end in .gif or .webp: name it so."
        )
    read = [Path(file).resolve() for file in (args.source, args.mask) if file]
    for file in filter(None, (grid, args.gif)):
        if Path(file).resolve() in read:
            raise UsageError(f"{file} is read and would be overwritten: choose another name for the result.")
        check_place(file)
    grid, folder, film = (Path(name) if name else None for name in (grid, args.folder, args.gif))
    found = Places(grid, folder, film, args.columns)
    if found.folder is not None:
        check_place(found.folder, folder=True)
        seeds = range(args.seed, args.seed + args.count)
        for file in filter(None, (grid, film)):
            image = DRAWN.fullmatch(file.name) and file.parent.resolve() == found.folder.resolve()
            if image or file.resolve() == found.folder.resolve():
                raise UsageError(f"{file} is a place of --folder's own: choose another name.")
        taken = sorted(file for file in found.drawn() if int(file.stem) in seeds)
        if taken:
            raise UsageError(
                f"{taken[0]} exists, of {len(taken):,} such files: choose another --folder, or other seeds, "
                f"such as --seed {args.seed + args.count}."
            )
    return found
