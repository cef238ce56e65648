"""What a version is given out as: complete, named by the version, and said in the changelog's words."""

import subprocess
from pathlib import Path

import pytest

from tools.release import checksums, gather, notes

CHANGELOG = "# Changes\n\n## 1.1.0, 2030-01-02\n\n- New.\n\n## 1.0.0\n\n- Old.\n"


def test_the_notes_are_the_version_s_own_section() -> None:
    assert notes(CHANGELOG, "1.1.0") == "- New.\n"
    assert notes(CHANGELOG, "1.0.0") == "- Old.\n"
    with pytest.raises(SystemExit, match="no section for 1"):
        notes(CHANGELOG, "1.1.1")


def test_a_release_is_complete_or_is_none(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("pdf/book.pdf", "offline/ddpm-course-1.1.0-offline-80MB.zip"):
        path = tmp_path / "_build" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    with pytest.raises(SystemExit, match=r"lacks book.epub: run `make release`"):
        gather(tmp_path, out, "1.1.0")
    epub = tmp_path / "_build" / "epub" / "book.epub"
    epub.parent.mkdir()
    epub.write_text("epub")
    files = gather(tmp_path, out, "1.1.0")
    names = {"ddpm-course-1.1.0.pdf", "ddpm-course-1.1.0.epub", "ddpm-course-1.1.0-offline-80MB.zip"}
    assert {path.name for path in files} == names
    (out / "SHA256SUMS").write_text(checksums(files))
    check = ["sha256sum", "--check", "SHA256SUMS"]
    assert subprocess.run(check, cwd=out, capture_output=True).returncode == 0
    files[0].write_text("changed")
    assert subprocess.run(check, cwd=out, capture_output=True).returncode == 1


def test_an_offline_zip_of_another_version_is_not_given_out(tmp_path: Path) -> None:
    for name in ("pdf/book.pdf", "epub/book.epub", "offline/ddpm-course-1.0.0-offline-80MB.zip"):
        path = tmp_path / "_build" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    with pytest.raises(SystemExit, match="lacks the offline zip"):
        gather(tmp_path, tmp_path, "1.1.0")
