"""The files that come inside the package, each checked against its published checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ddpm_lib.data.errors import DataError

ASSETS = Path(__file__).parent.parent / "assets"


def verified(path: Path) -> bytes:
    """The bytes of one of the package's assets. Refused unless they have the sha256 in SHA256SUMS beside it."""
    lines = (path.parent / "SHA256SUMS").read_text().splitlines()
    sums = {name: sha256 for sha256, name in map(str.split, lines)}
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != sums.get(path.name):
        raise DataError(f"{path} does not have its published checksum: reinstall ddpm-lib.")
    return raw
