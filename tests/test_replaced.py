"""A checkpoint that is read while its run puts a newer one in its place: one or the other, never a bit of both."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ddpm_lib.models import storage
from ddpm_lib.models.storage import CheckpointError, read, write


def written(path: Path, step: int) -> Path:
    write(path, {"ema.w": torch.full((8,), float(step))}, {"step": step})
    return path


def replacing(path: Path, times: int, fail: bool) -> Callable[..., Any]:
    """safe_open, but the first `times` files are replaced once their header was read."""
    real, count = storage.safe_open, iter(range(1, times + 1))

    def opened(*args: Any, **options: Any) -> Any:
        found = real(*args, **options)
        if step := next(count, 0):
            os.replace(written(path.with_name("newer"), step), path)
            if fail:
                raise RuntimeError("file size <8> is smaller than the required mapping size <16>")
        return found

    return opened


@pytest.mark.parametrize("fail", [False, True], ids=["numbers of another", "too small"])
def test_a_file_that_is_replaced_meanwhile_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail: bool
) -> None:
    path = written(tmp_path / "checkpoint.safetensors", 0)
    monkeypatch.setattr(storage, "safe_open", replacing(path, 3, fail))
    metadata, tensors = read(path)
    assert '"step": 3' in metadata["config"]
    assert tensors["ema.w"].tolist() == [3.0] * 8


def test_one_that_never_rests_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "checkpoint.safetensors", 0)
    monkeypatch.setattr(storage, "safe_open", replacing(path, 1000, fail=False))
    with pytest.raises(CheckpointError, match="was replaced each time that it was read"):
        read(path)


def test_an_error_of_a_file_at_rest_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise RuntimeError("no memory")

    monkeypatch.setattr(storage, "safe_open", fails)
    with pytest.raises(RuntimeError, match="no memory"):
        read(written(tmp_path / "checkpoint.safetensors", 0))
