"""Whatever lies on the disk: one sentence, nothing written, nothing run, no more memory than the file is large.

hypothesis damages whole files; `tests/corpus/` holds what was found so far, and each file there is read as its name
begins: `image-`, `idx-`, `tar-` or `index-`. To keep a find, add its bytes there.
"""

from __future__ import annotations

import io
import resource
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ddpm_lib.data.stream.index import read_index
from ddpm_lib.data.stream.shards import Shards
from tests.damage import FEW, TAR, WHOLE_IMAGES, damaged, read, refusal, tar

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
MEMORY = 100 * 2**20  # bytes that reading a file of a few kilobytes may take
IDX = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(24)
NEXT = tarfile.TarInfo("x")
NEXT.type = tarfile.XHDTYPE  # a header for the member after it, which is another


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
