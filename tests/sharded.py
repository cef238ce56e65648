"""Photos and their shards, and batches that are read from them."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import webdataset
from PIL import Image
from torch import Tensor

from ddpm_lib.data import DataError
from ddpm_lib.data.stream import Shards, StreamedBatches, batches, open_images, write_shards

SIZE, N = 8, 90


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety small pictures in three classes, no two alike, not all square."""
    root, rng = tmp_path_factory.mktemp("stream") / "photos", np.random.default_rng(0)
    for i in range(N):
        folder = root / ("cat", "dog", "owl")[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10 + i % 5, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return root


@pytest.fixture
def shards(photos: Path, tmp_path: Path) -> Path:
    """The same as nine shards of ten images."""
    *_, index = write_shards(photos, tmp_path / "shards", size=SIZE, each=10)
    assert [count for _, count in index.shards] == [10] * 9
    return tmp_path / "shards"


@pytest.fixture(autouse=True)
def small_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shards are shuffled together, as in a folder much larger than the buffer."""
    monkeypatch.setattr(batches, "BUFFER", 2 * 10 * 3 * SIZE * SIZE)


def opened(folder: Path) -> Shards:
    data = open_images(str(folder))
    assert isinstance(data, Shards)
    return data


def epoch(of: StreamedBatches, number: int = 0) -> list[tuple[Tensor, Tensor]]:
    return [of(step) for step in range(number * of.an_epoch, (number + 1) * of.an_epoch)]  # type: ignore[misc]


def kill_workers() -> None:
    """As the system does where memory runs out; returns when they are dead, and their signals sent."""
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def tar(path: Path, *samples: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, webdataset.TarWriter(file) as out:
        for i, sample in enumerate(samples):
            out.write({"__key__": f"{i:04d}", **sample})


def png(size: int = SIZE, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (size, size)).save(out, "PNG")
    return out.getvalue()


def assert_refused(folder: Path, words: str, workers: int = 0) -> None:
    with pytest.raises(DataError, match=words) as error:
        epoch(StreamedBatches(opened(folder), 2, workers=workers))
    assert "Traceback" not in str(error.value)
