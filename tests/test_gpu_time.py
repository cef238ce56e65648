"""The GPU run keeps its time, goes on after a worker that died, and leaves no process behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import rehearsal
from tools.gpu import __main__ as command
from tools.gpu import outbox, supervise
from tools.gpu.state import State

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


def test_the_parent_needs_neither_torch_nor_a_gpu() -> None:
    heavy = {"torch", "numpy"}
    code = "import sys, tools.gpu.__main__, tools.gpu.supervise, tools.gpu.outbox; print([m for m in sys.modules])"
    said = rehearsal.call(Path(sys.executable), rehearsal.ROOT, "-c", code)
    assert not heavy & set(eval(said))
    assert command.main is not None


def test_what_a_worker_has_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(work / "measured" / "child.json").write_text(str(child.pid))
"""
    _fake_worker(tmp_path / "root", monkeypatch, script)
    assert supervise.supervise(tmp_path / "out", time.monotonic() + 600, False, None) == 0
    outbox.unpack(tmp_path / "out", tmp_path / "back")
    child = int((tmp_path / "back" / "measured" / "child.json").read_text())
    status = Path(f"/proc/{child}/status")
    assert not status.exists() or "State:\tZ" in status.read_text()  # at most waiting to be reaped
