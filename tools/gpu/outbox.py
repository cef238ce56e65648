"""What a run brings home: a flat folder of few files, each small, with a checksum each, written as results come."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

SUMS, SMALL = "SHA256SUMS", "results.zip"
MOST_FILES, MOST_BYTES, MOST_TOGETHER = 8, 15 * 2**20, 60 * 2**20
BIG = 2 * 10**6  # bytes from which on weights go by themselves, and not into the archive


class OutboxError(Exception):
    """Results that are not whole, or too large; the message says which."""


def pack(work: Path, out: Path, big: int = BIG) -> list[str]:
    """Mirror the results below `work` in the flat folder `out`; returns what had to be left out, a line each.

    Large weights keep their names, all else goes into one archive with its paths. A file changes by being replaced,
    and during that its old sum and its new one both count, so that `out` is whole at every moment.
    """
    out.mkdir(parents=True, exist_ok=True)
    archive = io.BytesIO()
    contents: dict[str, bytes] = {}
    missed = []
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as box:
        for path in sorted(path for path in work.rglob("*") if path.is_file()):
            name = path.relative_to(work).as_posix()
            if name.startswith("scratch/") or name.endswith(".part"):
                continue
            raw = _read(path)
            if raw is None:
                continue
            if path.suffix == ".safetensors" and len(raw) >= big:
                contents[path.name] = raw
                box.writestr(f"{name}.big", path.name)  # where it belongs
            else:
                box.writestr(zipfile.ZipInfo(name), raw)  # without a date: the same results, the same archive
    contents = {SMALL: archive.getvalue(), **contents}
    for name in list(contents):
        room = MOST_TOGETHER - sum(len(contents[other]) for other in contents if other != name)
        if len(contents[name]) >= MOST_BYTES or len(contents[name]) > room or len(contents) > MOST_FILES - 2:
            missed.append(f"{name} is left out: it, or all files together, would be too large")
            del contents[name]
    before = _sums(out)
    after = {name: {hashlib.sha256(raw).hexdigest()} for name, raw in contents.items()}
    changed = [name for name in after if not (out / name).is_file() or before.get(name) != after[name]]
    if changed:
        _write_sums(out, {name: before.get(name, set()) | sums for name, sums in after.items()})
        for name in changed:
            _replace(out / name, contents[name])
        _write_sums(out, after)
    return missed


def unpack(out: Path, work: Path) -> None:
    """The inverse of `pack`: every file of `out` back in its place below `work`, checksums first."""
    if not (out / SUMS).is_file():
        return
    verify(out)
    with zipfile.ZipFile(out / SMALL) as box:
        for name in box.namelist():
            target = work / name.removesuffix(".big")
            if not target.resolve().is_relative_to(work.resolve()):
                raise OutboxError(f"{SMALL} holds {name!r}, which lies outside: use the results of a run.")
            target.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".big"):
                source = out / Path(box.read(name).decode()).name
                if source.is_file():
                    target.write_bytes(source.read_bytes())
            else:
                target.write_bytes(box.read(name))


def verify(out: Path) -> None:
    """Raise OutboxError unless every file that SHA256SUMS names is there and has its sum."""
    if not (out / SUMS).is_file():
        raise OutboxError(f"{out} has no {SUMS}: name the folder that a run wrote with --out.")
    for name, sums in _sums(out).items():
        path = out / Path(name).name
        if not path.is_file():
            raise OutboxError(f"{path} is missing: bring all files of the run.")
        if hashlib.sha256(path.read_bytes()).hexdigest() not in sums:
            raise OutboxError(f"{path} does not have its checksum: bring it again.")


def _read(path: Path) -> bytes | None:
    """What is in a file; None if it was taken away or is being written just now: the next time will do."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".json":
            json.loads(raw)
    except (FileNotFoundError, ValueError):
        return None
    return raw


def _sums(out: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    if (out / SUMS).is_file():
        for line in (out / SUMS).read_text().splitlines():
            sha256, name = line.split(maxsplit=1)
            found.setdefault(name, set()).add(sha256)
    return found


def _write_sums(out: Path, sums: dict[str, set[str]]) -> None:
    lines = [f"{sha256}  {name}\n" for name in sorted(sums) for sha256 in sorted(sums[name])]
    _replace(out / SUMS, "".join(lines).encode())


def _replace(path: Path, raw: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(raw)
    os.replace(part, path)
