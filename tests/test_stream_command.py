"""Shards on the command line, a worker that is killed, and memory that does not grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ddpm_lib.cli.watch as watching
from ddpm_lib.__main__ import main
from ddpm_lib.data import DataError
from ddpm_lib.data.stream import write_shards
from ddpm_lib.train.checkpoint import load_checkpoint
from tests.sharded import assert_refused, kill_workers, png, tar
from tests.sharded import photos as photos
from tests.sharded import shards as shards
from tests.sharded import small_buffer as small_buffer
from tests.tiny import CPU
from tests.tiny import tiny as tiny


def test_shard_train_resume_evaluate(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shards"
    assert main(["shard", str(photos), str(folder), "--size", "8", "--each", "10", "--dry-run"]) == 0
    assert not folder.exists()
    assert main(["shard", str(photos), str(folder), "--size", "8", "--each", "10"]) == 0
    assert "Wrote 90 images in 9 shards, 3 classes" in capsys.readouterr().out
    run = ["--batch", "8", "--precision", "float32", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert main(["train", "unet", "--data", str(folder), *run, "--steps", "7"]) == 0
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    assert main(["train", "--resume", str(checkpoint), "--steps", "12", "--device", "cpu"]) == 0
    assert load_checkpoint(checkpoint).step == 12
    assert main(["train", "--resume", str(checkpoint), "--size", "9"]) == 2
    assert "8 pixels wide, and not 9" in capsys.readouterr().err
    assert main(["evaluate", str(checkpoint), "--bits", "0", "--device", "cpu"]) == 0
    assert "90 images of the folder" in capsys.readouterr().out


def test_a_run_whose_worker_is_killed_is_saved_and_goes_on(
    shards: Path,
    tmp_path: Path,
    tiny: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = ["--batch", "8", "--precision", "float32", *CPU, "--out", str(tmp_path / "run"), "--steps", "60"]
    real = watching.describe
    monkeypatch.setattr(watching, "describe", lambda p: (kill_workers(), real(p))[1])
    assert main(["train", "unet", "--data", str(shards), *run]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    step = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").step
    assert (
        f"ran out: close other programs, or write smaller shards with `shard --each`. The run was saved after {step} "
        in error
    )
    assert 2 <= step < 60
    monkeypatch.setattr(watching, "describe", real)
    assert main(["train", "--resume", str(tmp_path / "run"), "--steps", str(step + 1), *CPU]) == 0


def test_without_webdataset(
    shards: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photos: Path
) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    assert_refused(shards, r"Shards need webdataset: pip install 'ddpm-lib\[stream\]'")
    with pytest.raises(DataError, match="Shards need webdataset"):
        next(write_shards(photos, tmp_path / "out"))


PEAKS = """
import multiprocessing
import sys
from ddpm_lib.data.stream import StreamedBatches, batches, open_images
from benchmarks.memory import peak
batches.BUFFER = 2**21
few, many = map(open_images, sys.argv[1:])
for data in (few, many):
    stream = StreamedBatches(data, 20, workers=1)
    for step in range(stream.an_epoch):
        stream(step)
    workers = multiprocessing.active_children() if sys.platform == "linux" else []
    print(peak() + sum(peak(worker.pid) for worker in workers))
    stream.close()
for data in (few, many):
    data.head(len(data))
    print(peak())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    image = png(128)  # 48 kB of pixels: 1,000 are 47 MB
    for n in (100, 1000):
        for shard in range(n // 20):
            tar(tmp_path / str(n) / f"{shard:04d}.tar", *[{"png": image}] * 20)
    command = [sys.executable, "-c", PEAKS, str(tmp_path / "100"), str(tmp_path / "1000")]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    # The largest resident memory so far, in MB, after each: what was read once stays counted.
    few_streamed, many_streamed, few_loaded, many_loaded = map(float, done.stdout.split())
    grown, seen = many_streamed - few_streamed, many_loaded - few_loaded
    assert grown < 15, f"streaming ten times the images takes {grown} MB more"
    assert seen > 40, f"the measurement does not see 47 MB: {seen}"
