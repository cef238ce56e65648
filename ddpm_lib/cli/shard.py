"""`python -m ddpm_lib shard`: a folder of images becomes a folder of shards, to train on more than memory holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from ddpm_lib.cli.common import print_config
from ddpm_lib.data.photos import list_images
from ddpm_lib.data.stream import Index, write_shards


def options(p: argparse.ArgumentParser) -> None:
    """The command's options."""
    p.add_argument(
        "images", metavar="PHOTOS", help="folder of images; its subfolders, if any, are the classes"
    )
    p.add_argument("shards", metavar="SHARDS", help="folder to write, which does not exist yet")
    p.add_argument("--size", type=int, default=32, help="side of the images in pixels (default: 32)")
    p.add_argument("--grey", action="store_true", help="one channel instead of three")
    p.add_argument(
        "--each", type=int, metavar="N", help="images in a shard (default: a 64th of all, 16 to 1000)"
    )
    p.add_argument("--seed", type=int, default=0, help="of the order in which the images are written")
    p.add_argument("--dry-run", action="store_true", help="print the whole configuration and stop")


def run(args: argparse.Namespace) -> None:
    """Write the shards, with a bar."""
    files, classes = list_images(Path(args.images))
    if args.dry_run:
        print_config(
            images=f"{len(files):,}",
            classes=", ".join(classes) or "none",
            size=args.size,
            channels=1 if args.grey else 3,
            shards=args.shards,
        )
        return
    index: Index | None = None
    with tqdm(total=len(files), unit=" images") as bar:
        for index in write_shards(
            args.images, args.shards, args.size, args.each, grey=args.grey, seed=args.seed
        ):
            bar.update(len(index) - bar.n)
    assert index is not None  # list_images has found at least one image
    print(
        f"Wrote {len(index):,} images in {len(index.shards):,} shards, {len(index.classes)} classes, to {args.shards}."
    )
    print(f"Train on them:  python -m ddpm_lib train unet --data {args.shards}")
