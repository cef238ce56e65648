"""Whatever lies on the disk: one sentence, nothing written, nothing run, no more memory than the file is large.

hypothesis damages whole files; `tests/corpus/` holds what was found so far, and each file there is read as its name
begins: `image-`, `idx-`, `tar-` or `index-`. To keep a find, add its bytes there.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ddpm_lib.data import DataError
from ddpm_lib.data.idx import parse_idx
from ddpm_lib.data.pixels import decode
from ddpm_lib.data.stream.index import read_index
from ddpm_lib.data.stream.shards import Shards

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
MEMORY = 100 * 2**20  # bytes that reading a file of a few kilobytes may take
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
IDX = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(24)
TAR = tar(("a.png", WHOLE_IMAGES[0]), ("a.cls", b"0"), ("sub/b.png", WHOLE_IMAGES[0]), ("sub/b.cls", b"1"))
NEXT = tarfile.TarInfo("x")
NEXT.type = tarfile.XHDTYPE  # a header for the member after it, which is another
INDEX = {"format": "ddpm_lib.shards/1", "size": 7, "channels": 3, "classes": ["x"], "shards": [["0.tar", 1]]}


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


def largest() -> int:
    """The most memory that this process ever had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@pytest.mark.parametrize(
    ("kind", "raw"),
    [pytest.param(file.stem.split("-")[0], file.read_bytes(), id=file.stem) for file in CORPUS]
    + [
        pytest.param("index", b"[" * 200_000, id="index-200000-deep"),
        pytest.param("tar", NEXT.tobuf(tarfile.USTAR_FORMAT) * 1500, id="tar-1500-headers"),
    ],
)
def test_what_was_found_stays_mended(kind: str, raw: bytes) -> None:
    before = largest()
    read(kind, raw)
    assert largest() - before < MEMORY


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


@FEW
@given(damaged(st.sampled_from(WHOLE_IMAGES)))
def test_damaged_images(raw: bytes) -> None:
    before = largest()
    read("image", raw)
    assert largest() - before < MEMORY


@FEW
@given(damaged(st.just(IDX)) | st.binary(max_size=40))
def test_damaged_idx_files(raw: bytes) -> None:
    read("idx", raw)


@FEW
@given(damaged(st.just(TAR)))
def test_damaged_tars(raw: bytes) -> None:
    before = largest()
    read("tar", raw)
    assert largest() - before < MEMORY


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(10**15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@FEW
@given(st.sampled_from(sorted(INDEX)), VALUES)
def test_an_index_with_another_value(key: str, value: object) -> None:
    read("index", json.dumps(INDEX | {key: value}).encode())


@FEW
@given(damaged(st.just(json.dumps(INDEX).encode())))
def test_damaged_indices(raw: bytes) -> None:
    read("index", raw)


def refusal(folder: Path) -> str:
    with pytest.raises(DataError) as error:
        Shards(folder, read_index(folder)).head(9)
    return str(error.value)


@pytest.mark.parametrize("name", ["../0.tar", "/etc/0.tar", "sub/0.tar", "..\\0.tar"])
def test_an_index_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "0.tar").write_bytes(TAR)
    (tmp_path / "index.json").write_text(json.dumps(INDEX | {"shards": [[name, 1]]}))
    assert "is no shard beside it" in refusal(tmp_path)


def test_an_index_cannot_promise_more_than_its_shards_have_room_for(tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(TAR)
    (tmp_path / "index.json").write_text(json.dumps(INDEX | {"shards": [["0.tar", 10**15]]}))
    assert "too small for 1,000,000,000,000,000 images" in refusal(tmp_path)


@pytest.mark.parametrize("label", [b"99999999999", b"-1"])
def test_a_label_that_would_take_all_memory_is_refused(tmp_path: Path, label: bytes) -> None:
    (tmp_path / "0.tar").write_bytes(tar(("a.png", WHOLE_IMAGES[0]), ("a.cls", label)))
    assert f"has the label {int(label)}" in refusal(tmp_path)


def test_links_in_a_tar_are_not_followed_and_nothing_is_unpacked(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (7, 7)).save(secret)
    out, square = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (7, 7), (1, 2, 3)).save(square, "PNG")
    with tarfile.open(fileobj=out, mode="w") as archive:
        for i, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE)):
            link = tarfile.TarInfo(f"{i}.png")
            link.type, link.linkname = kind, str(secret)
            archive.addfile(link)
        for name in (str(tmp_path / "absolute.png"), "../up.png"):
            member = tarfile.TarInfo(name)
            member.size = len(square.getvalue())
            archive.addfile(member, io.BytesIO(square.getvalue()))
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "0.tar").write_bytes(out.getvalue())
    head = Shards(folder, read_index(folder, write=False)).head(9)
    assert head.pixels.flatten(2).unique(dim=2).flatten(1).tolist() == [[1, 2, 3]] * 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["0.tar", "secret.png", "shards"]


def test_a_name_with_control_characters_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(tar(("\x1b[2J.png", b"nothing")))
    assert refusal(tmp_path).isprintable()
