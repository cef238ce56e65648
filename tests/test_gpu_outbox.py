"""What a GPU run measured comes home whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.gpu import outbox
from tools.gpu.install import install


def _results(work: Path) -> None:
    for name, raw in {
        "weights/a.safetensors": b"a" * 90,
        "weights/a.md": b"card",
        "measured/t.json": b"{}",
    }.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(raw)


def test_results_come_back_as_they_went(tmp_path: Path) -> None:
    work, out, back = tmp_path / "work", tmp_path / "out", tmp_path / "back"
    _results(work)
    (work / "scratch").mkdir()
    (work / "scratch" / "large").write_bytes(b"x")
    assert outbox.pack(work, out, big=50) == []
    assert {path.name for path in out.iterdir()} == {"a.safetensors", "results.zip", "SHA256SUMS"}
    outbox.unpack(out, back)
    found = {p.relative_to(back).as_posix(): p.read_bytes() for p in back.rglob("*") if p.is_file()}
    assert found == {"weights/a.safetensors": b"a" * 90, "weights/a.md": b"card", "measured/t.json": b"{}"}
    before = (out / "results.zip").stat().st_mtime_ns
    outbox.pack(work, out, big=50)
    assert (out / "results.zip").stat().st_mtime_ns == before  # nothing changed, nothing is written


def test_a_file_that_was_changed_or_lost_is_refused_before_anything_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    _results(work)
    outbox.pack(work, out, big=50)
    (out / "a.safetensors").write_bytes(b"b" * 90)
    assert install(out) == 2
    (out / "a.safetensors").unlink()
    assert install(out) == 2
    assert install(tmp_path) == 2
    said = capsys.readouterr().err
    assert "does not have its checksum: bring it again" in said
    assert "is missing: bring all files of the run" in said
    assert "has no SHA256SUMS: name the folder that a run wrote" in said


def test_too_much_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_BYTES", 2000)
    work, out = tmp_path / "work", tmp_path / "out"
    _results(work)
    (work / "weights" / "b.safetensors").write_bytes(b"b" * 3000)
    assert "b.safetensors is left out" in outbox.pack(work, out, big=50)[0]
    assert not (out / "b.safetensors").exists()
    outbox.verify(out)
    many = tmp_path / "many"
    many.mkdir()
    for i in range(9):
        (many / f"{i}.safetensors").write_bytes(bytes([i]) * 90)
    assert len(outbox.pack(many, tmp_path / "few", big=50)) == 4  # two of the eight are the sums and the log
    assert len(list((tmp_path / "few").iterdir())) == outbox.MOST_FILES - 1


def test_a_file_that_is_taken_away_meanwhile_waits_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    (work / "weights").mkdir(parents=True)
    for name in ("gone.md", "there.md"):
        (work / "weights" / name).write_text(name)
    read = Path.read_bytes

    def vanishing(path: Path) -> bytes:
        if path.name == "gone.md":
            path.unlink()  # replaced by the worker between two looks
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", vanishing)
    assert outbox.pack(work, out) == []
    monkeypatch.undo()
    outbox.unpack(out, tmp_path / "back")
    assert [path.name for path in (tmp_path / "back" / "weights").iterdir()] == ["there.md"]
