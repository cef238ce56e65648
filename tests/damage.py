"""Files of every kind, damaged at random, and how much memory reading them may take."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

from ddpm_lib.data import DataError
from ddpm_lib.data.idx import parse_idx
from ddpm_lib.data.pixels import decode
from ddpm_lib.data.stream.index import read_index
from ddpm_lib.data.stream.shards import Shards

FEW = settings(max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)


def images() -> list[bytes]:
    """One small picture in each kind of file."""
    picture, found = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)), []
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"):
        out = io.BytesIO()
        picture.save(out, kind)
        found.append(out.getvalue())
    for mode in ("1", "LA", "RGBA", "I;16"):
        out = io.BytesIO()
        (picture.convert("L") if mode == "I;16" else picture).convert(mode).save(out, "PNG")
        found.append(out.getvalue())
    return found


def tar(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


WHOLE_IMAGES = images()
TAR = tar(("a.png", WHOLE_IMAGES[0]), ("a.cls", b"0"), ("sub/b.png", WHOLE_IMAGES[0]), ("sub/b.cls", b"1"))


def read(kind: str, raw: bytes) -> None:
    """As the course reads such a file; what goes wrong is a DataError of one line, and the folder stays as it was."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "0.tar").write_bytes(raw if kind == "tar" else TAR)
        if kind == "index":
            (folder / "index.json").write_bytes(raw)
        before, sentence = sorted(folder.rglob("*")), ""
        try:
            if kind == "image":
                decode(raw, "made")
            elif kind == "idx":
                parse_idx(raw, "made")
            else:
                index = read_index(folder, write=False)
                Shards(folder, index).head(3)
        except DataError as error:
            sentence = str(error)
        assert sentence.isprintable()
        assert len(sentence) < 1000
        assert sorted(folder.rglob("*")) == before


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """A whole file with bytes changed, cut off, put in or repeated."""
    raw = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        match draw(st.sampled_from(["change", "cut", "put", "repeat", "large"])):
            case "change":
                raw[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del raw[at:]
            case "put":
                raw[at:at] = draw(st.binary(max_size=20))
            case "repeat":
                raw[at:at] = raw[at : at + draw(st.integers(0, 600))]
            case "large":
                raw[at : at + 4] = b"\x7f\xff\xff\xff"
    return bytes(raw)


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as error:
        Shards(folder, read_index(folder)).head(9)
    return str(error.value)
