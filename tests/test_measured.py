"""What the chapters read: every result opens, and a page of samples is cut where its images meet."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from ddpm_lib.assets import measured as module
from ddpm_lib.assets.measured import measured, samples
from ddpm_lib.evaluate.generate import tile


def test_every_result_says_what_was_measured_and_on_what() -> None:
    names = [path.stem for path in module.FOLDER.glob("*.json")]
    assert names
    for name in names:
        result = measured(name)
        assert {"what", "machine"} <= set(result), name


def test_an_unknown_result_names_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match=r"choose one of .*steps"):
        measured("elephants")


def test_samples_come_back_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    Image.fromarray(tile(x, columns=3, pad=0).squeeze(-1)).save(tmp_path / "page.png")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    assert (samples("page") - x).abs().max() < 1 / 255 + 1e-6
    with pytest.raises(ValueError, match="no multiple of 27"):
        samples("page", side=27)
