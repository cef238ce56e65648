"""Where Fashion-MNIST may already be, and a download that resumes, checks and fails in one sentence."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from ddpm_lib.data.errors import DataError

FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
FASHION_MD5 = {  # published in the data set's own README
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


class FetchError(DataError):
    """A download that did not work; the message says what to do."""


def cache_folder() -> Path:
    """Where downloads are kept: $DDPM_DATA, else ~/.cache/ddpm_lib."""
    return Path(os.environ.get("DDPM_DATA", Path.home() / ".cache" / "ddpm_lib"))


def usual_places() -> list[Path]:
    """Folders that may hold Fashion-MNIST: the cache, Debian's package, torchvision's default."""
    return [
        cache_folder() / "fashion-mnist",
        Path("/usr/share/datasets/fashion-mnist"),  # Debian: apt install dataset-fashion-mnist
        Path("data/FashionMNIST/raw"),
    ]


def fashion_folder(names: Iterable[str]) -> Path:
    """The first usual place that holds all of `names`; else they are downloaded into the cache."""
    files = [f"{name}.gz" for name in names]
    for place in usual_places():
        if all((place / file).is_file() for file in files):
            return place
    target = usual_places()[0]
    for file in files:
        fetch(FASHION_URL + file, target / file, FASHION_MD5[file])
    return target


def fetch(url: str, path: Path, md5: str) -> Path:
    """Download `url` to `path` unless it is there; go on where an interrupted download stopped."""
    if path.is_file():
        return path
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(url, part)
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = " ".join(str(error).split())
        raise FetchError(
            f"Could not download {url} ({reason}): check the connection and try again (what came so far is kept and "
            f"the download resumes), name a folder with room in DDPM_DATA, or put the file at {path} by hand."
        ) from error
    if hashlib.md5(part.read_bytes()).hexdigest() != md5:
        part.unlink()
        raise FetchError(f"{url} came with the wrong checksum and was thrown away: try again.")
    os.replace(part, path)
    return path


def _download(url: str, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the part is whole already
            return
        raise
    with answer:
        resumed = answer.status == 206
        length = int(answer.headers.get("Content-Length", 0))
        start = have if resumed else 0
        with (
            part.open("ab" if resumed else "wb") as file,
            tqdm(total=start + length, initial=start, unit="B", unit_scale=True, desc=part.stem) as bar,
        ):
            while block := answer.read(1 << 16):
                file.write(block)
                bar.update(len(block))
        if length and part.stat().st_size < start + length:
            raise OSError(f"the connection closed {start + length - part.stat().st_size} bytes early")
