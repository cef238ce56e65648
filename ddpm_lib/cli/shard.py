"""`python -m ddpm_lib shard`: a folder of images becomes a folder of shards, to train on more than memory holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from ddpm_lib.cli.common import print_config, typed
from ddpm_lib.data.errors import counted
from ddpm_lib.data.photos import find_photos
from ddpm_lib.data.stream import Index, write_shards
from ddpm_lib.data.stream.write import check_shards
from ddpm_lib.models.place import check_place, writing


def options(p: argparse.ArgumentParser) -> None:
    """The command's options."""
    p.add_argument(
        "images", metavar="PHOTOS", help="folder of images; its subfolders, if any, are the classes"
    )
    p.add_argument("shards", metavar="SHARDS", help="folder to write, which does not exist yet")
    p.add_argument("--size", type=int, default=32, help="side of the images in pixels (default: 32)")
    p.add_argument("--channels", type=int, help="1 for grey, 3 for color (default: as the images are)")
    p.add_argument("--grey", action="store_const", const=1, dest="channels", help="the same as --channels 1")
    p.add_argument(
        "--each", type=int, metavar="N", help="images in a shard (default: a 64th of all, 16 to 1000)"
    )
    p.add_argument("--seed", type=int, default=0, help="of the order in which the images are written")
    p.add_argument("--skip-bad", action="store_true", help="leave out what cannot be read")
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")


def run(args: argparse.Namespace) -> None:
    """Write the shards, with a bar."""
    check_shards(args.size, args.each, args.channels, args.seed)
    check_place(args.shards, folder=True)
    photos = find_photos(Path(args.images), args.skip_bad)
    print(photos)
    if args.dry_run:
        print_config(
            images=f"{len(photos.files):,}",
            classes=", ".join(photos.classes) or "none",
            size=args.size,
            channels=args.channels or "as the images are",
            shards=args.shards,
        )
        return
    index: Index | None = None
    with writing(args.shards), tqdm(total=len(photos.files), unit=" images") as bar:
        for index in write_shards(
            args.images, args.shards, args.size, args.each, args.channels, args.seed, args.skip_bad
        ):
            bar.update(len(index) - bar.n)
    assert index is not None  # find_photos has found at least one image
    skipped = f"; {n:,} could not be read" if (n := len(photos.files) - len(index)) else ""
    print(
        f"Wrote {counted(len(index), 'image')} in {counted(len(index.shards), 'shard')}, "
        f"{counted(len(index.classes), 'class', 'classes')}, to "
        f"{args.shards}{skipped}."
    )
    print(f"Train on them:  python -m ddpm_lib train unet --data {typed(args.shards)}")
