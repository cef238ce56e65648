"""The GPU run, rehearsed: in time, in order, an error ends its piece alone, and results come home whole."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from ddpm_lib.train.presets import LADDER, PRESETS
from tests import chapter_cells, rehearsal
from tools.gpu import __main__ as command
from tools.gpu import outbox, supervise, worker
from tools.gpu import plan as plan_module
from tools.gpu.desk import Desk, Piece
from tools.gpu.install import install
from tools.gpu.state import FAILED, State


@pytest.mark.slow
def test_a_machine_with_six_packages_and_no_network_does_every_piece_and_what_it_did_can_be_installed(
    tmp_path: Path,
) -> None:
    python, course = rehearsal.environment(tmp_path / "env"), rehearsal.course(tmp_path / "course")
    out = tmp_path / "out"
    said = rehearsal.run(python, course, "--tiny", "--minutes", "60", "--out", str(out))
    for name in ("diffusers", "denoising_diffusion_pytorch"):
        assert f"not measured: {name} is not installed" in said
    files = list(out.iterdir())
    assert len(files) <= outbox.MOST_FILES
    assert all(path.is_file() and path.stat().st_size < outbox.MOST_BYTES for path in files)
    assert {"unet-1-of-2.safetensors", "unet-2-of-2.safetensors"} <= {path.name for path in files}

    again = rehearsal.run(python, course, "--tiny", "--minutes", "60", "--out", str(out))
    assert "==>" not in again  # all was done before

    for _ in range(2):  # it can be repeated
        assert "unet" in rehearsal.run(python, course, "--install", str(out))
    measured, weights = (course / "ddpm_lib" / "assets" / name for name in ("measured", "weights"))
    rows = json.loads((measured / "ladder.json").read_text())["rows"]
    assert {row["rung"] for row in rows} == {"black paper", "real digits", *LADDER}
    assert all(row["minutes"] > 0 for row in rows if row["rung"] in LADDER)  # however short
    assert {"ablate.json", "ablate-eps.json", "bridge.json", "gpu-speed.json"} <= {
        p.name for p in measured.iterdir()
    }
    for name in ("unet", "modern-unet-cond"):
        card = (weights / f"{name}.md").read_text()
        assert "| Frechet distance |" in card
        assert (weights / f"{name}.png").is_file()
    assert "all 24 steps of DDPM" in (weights / "unet.md").read_text()
    assert not (weights / "unet.safetensors").exists()  # the old one, in one file
    code = "import ddpm_lib; c = ddpm_lib.load('unet'); print(c.step, sum(p.numel() for p in c.network().parameters()))"
    loaded = rehearsal.call(python, course, "-c", code)
    assert loaded.split()[0] == "4"

    # and the chapters can read it
    measurements = {"ladder", "gpu-speed", "bridge", "ablate", "ablate-eps"}
    book = rehearsal.ROOT / "book"
    for name, count in (("experiment", 15), ("unet", 4), ("scale", 6)):
        cells = chapter_cells.reading(book / f"{name}.ipynb", measurements)
        assert len(cells) >= count
        chapter_cells.run(cells, course, book)

    raw = bytearray((out / "unet-1-of-2.safetensors").read_bytes())
    raw[-1] ^= 1
    (out / "unet-1-of-2.safetensors").write_bytes(raw)
    said = rehearsal.run(python, course, "--install", str(out), status=2)
    assert "unet-1-of-2.safetensors does not have its checksum: bring it again" in said


def test_every_piece_has_a_name_and_a_cost_and_the_networks_are_trained_before_they_are_measured() -> None:
    pieces = plan_module.plan()
    names = [piece.name for piece in pieces]
    assert len(names) == len(set(names))
    assert all(0 < piece.minutes < 5 for piece in pieces)
    for name in ("unet", "modern-unet-cond"):
        assert names.index(f"train {name}") < names.index(f"card of {name}")
    assert names[0] == "train unet"
    assert set(LADDER) == {name.removeprefix("ladder: ") for name in names if name.startswith("ladder: ")}
    assert set(LADDER) <= set(PRESETS)
    *others, widest = (PRESETS[name].train for name in LADDER)
    assert len(set(others)) == 1  # the rungs differ in their networks alone ...
    assert (
        replace(widest, lr=others[0].lr, clip=others[0].clip) == others[0]
    )  # ... and the last in its step as well
    assert len({(PRESETS[name].schedule, PRESETS[name].T) for name in LADDER}) == 1


def _plan(monkeypatch: pytest.MonkeyPatch, *pieces: Piece) -> list[str]:
    done: list[str] = []

    def noted(piece: Piece) -> Piece:
        def do(desk: Desk) -> None:
            piece.do(desk)
            done.append(piece.name)

        return Piece(piece.name, piece.minutes, do)

    monkeypatch.setattr(plan_module, "plan", lambda: [noted(piece) for piece in pieces])
    monkeypatch.setattr(worker, "shrink", lambda: None)
    monkeypatch.setattr(worker.torch.cuda, "is_available", lambda: False)
    return done


def _fails(desk: Desk) -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def test_an_error_ends_its_piece_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, three = Piece("one", 1, lambda desk: None), Piece("three", 1, lambda desk: None)
    done = _plan(monkeypatch, one, Piece("two", 1, _fails), three)
    assert worker.work(tmp_path, 60, True, None) == FAILED  # and the next process goes on
    assert worker.work(tmp_path, 60, True, None) == 0
    assert done == ["one", "three"]
    state = State(tmp_path)
    assert list(state.done) == ["one", "three"]
    assert "illegal memory access" in state.failed["two"]
    assert any(line.startswith("FAILED: two: ") for line in state.summary())


def test_a_piece_that_no_longer_fits_is_left_out_and_a_shorter_one_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = _plan(monkeypatch, Piece("long", 5, lambda desk: None), Piece("short", 0.5, lambda desk: None))
    monkeypatch.setattr(worker.torch.cuda, "is_available", lambda: True)  # on a GPU, costs count
    monkeypatch.setattr(worker.torch.cuda, "get_device_name", lambda: "a GPU")
    assert worker.work(tmp_path, 120, False, None) == 0
    assert done == ["short"]
    assert "left out: long: it takes 5.0 min and 2.0 are left" in capsys.readouterr().out


def test_a_missing_library_is_named_in_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(desk: Desk) -> None:
        raise worker.NotInstalled("not measured: diffusers is not installed")

    _plan(monkeypatch, Piece("peers", 1, lacks))
    assert worker.work(tmp_path, 60, True, None) == 0
    assert State(tmp_path).not_measured == {"peers": "not measured: diffusers is not installed"}
    assert State(tmp_path).done == {}


def test_without_a_gpu_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _plan(monkeypatch)
    assert worker.work(tmp_path, 60, False, None) == 2
    assert "rehearse with --tiny" in capsys.readouterr().out


WORKER = """
import json, pathlib, sys, time
work = pathlib.Path(sys.argv[sys.argv.index("--worker") + 1])
known = json.loads((work / "state.json").read_text())
(work / "measured").mkdir(exist_ok=True)
"""


def _fake_worker(root: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """`python -m tools.gpu --worker WORK` runs this script in `root`."""
    (root / "tools" / "gpu").mkdir(parents=True)
    for package in (root / "tools", root / "tools" / "gpu"):
        (package / "__init__.py").touch()
    (root / "tools" / "gpu" / "__main__.py").write_text(WORKER + script)
    monkeypatch.setattr(supervise, "ROOT", root)
    monkeypatch.setattr(supervise, "EVERY", 0.2)
    monkeypatch.setenv("PYTHONPATH", "")


def test_the_time_is_kept_and_what_was_done_by_then_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = """
(work / "measured" / "table.json").write_text("{}")
(work / "measured" / "half.json").write_text('{"rows": [')  # being written
(work / "state.json").write_text(json.dumps({**known, "done": {"one": 1.0}, "begun": "endless"}))
print("at work", flush=True)
time.sleep(600)
"""
    _fake_worker(tmp_path / "root", monkeypatch, script)
    out, now = tmp_path / "out", time.monotonic
    # an hour passes as soon as it is at work
    log = out / "log.txt"
    clock = SimpleNamespace(monotonic=lambda: now() + 3600 * (log.is_file() and "at work" in log.read_text()))
    monkeypatch.setattr(supervise, "time", clock)
    assert supervise.supervise(out, now() + 3600, False, None) == 0
    said = capsys.readouterr().out
    assert "at work" in said
    assert "done: one (1 s)" in said
    assert "left out: endless: the time was up before it was done" in said
    outbox.unpack(out, tmp_path / "back")
    assert (tmp_path / "back" / "measured" / "table.json").is_file()
    assert not (tmp_path / "back" / "measured" / "half.json").exists()
    assert "at work" in (out / "log.txt").read_text()


def test_a_worker_that_dies_is_started_anew_without_the_piece_that_killed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
if "one" in known["failed"]:
    (work / "state.json").write_text(json.dumps({**known, "done": {"two": 1.0}}))
else:
    (work / "state.json").write_text(json.dumps({**known, "begun": "one"}))
    sys.exit(139)
"""
    _fake_worker(tmp_path / "root", monkeypatch, script)
    out = tmp_path / "out"
    assert supervise.supervise(out, time.monotonic() + 300, False, None) == 1
    outbox.unpack(out, tmp_path / "back")
    state = State(tmp_path / "back")
    assert state.failed == {"one": "its process ended with status 139"}
    assert list(state.done) == ["two"]


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


def test_the_parent_needs_neither_torch_nor_a_gpu() -> None:
    heavy = {"torch", "numpy"}
    code = "import sys, tools.gpu.__main__, tools.gpu.supervise, tools.gpu.outbox; print([m for m in sys.modules])"
    said = rehearsal.call(Path(sys.executable), rehearsal.ROOT, "-c", code)
    assert not heavy & set(eval(said))
    assert command.main is not None
