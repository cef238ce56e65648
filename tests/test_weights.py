"""The weights that come with the package: found by name, verified, and able to draw."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch

import ddpm_lib
from ddpm_lib.assets import weights
from ddpm_lib.data import DataError
from ddpm_lib.evaluate.generate import class_labels, generate, with_guidance
from ddpm_lib.evaluate.metrics import digit_classes, digit_distance
from ddpm_lib.models.storage import CheckpointError
from tools.checksums import write_sums
from tools.ship import classes, with_and_without


def test_every_shipped_network_has_a_card_and_a_picture() -> None:
    assert {"cpu-minutes", "resnet"} <= set(weights.shipped())
    assert sum(path.stat().st_size for path in weights.FOLDER.iterdir()) < 40e6
    for name in weights.shipped():
        assert all(path.stat().st_size < 16e6 for path in weights.files(name))
        card = (weights.FOLDER / f"{name}.md").read_text(encoding="utf-8")
        for word in ("Data", "Training", "Licence", "Frechet distance"):
            assert word in card
        assert (weights.FOLDER / f"{name}.png").is_file()


def test_a_card_can_be_read_row_by_row() -> None:
    rows = weights.card("resnet")
    assert rows["Licence"] == "MIT"
    assert float(rows["Frechet distance"]) > 10 * float(rows["of real training digits"])
    assert rows["Network"].startswith("80 parameters")
    with pytest.raises(CheckpointError, match="no card 'unet-xl': pass one of cpu-"):
        weights.card("unet-xl")


def test_a_card_names_guidance_where_there_are_classes_and_measures_without_it_too() -> None:
    for name in weights.shipped():
        text = (weights.FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert bool(re.search(r"^Measured .*guidance", text, re.MULTILINE)) == (classes(name) > 0), name
    for name, better in (("cpu-hour", 0), ("cpu-minutes", 1)):
        rows = with_and_without(name)
        assert len(rows) == 2
        card = weights.card(name)
        assert [card[what] for what in rows] == [f"{value:.4g}" for value in rows.values()]
        # the better the network, the smaller the best weight
        assert list(rows.values()).index(min(rows.values())) == better


def test_the_shipped_weights_draw_the_digits_that_are_asked_for() -> None:
    trained = ddpm_lib.load("cpu-minutes")
    network = with_guidance(trained.network(), 0.5)
    y = class_labels(150, 10)
    x = torch.cat(list(generate(network, trained.diffusion, trained.about.shape, range(150), y=y, steps=8)))
    seen = digit_classes(x, y)
    assert seen.agreement is not None
    assert seen.agreement > 0.95
    assert seen.entropy > 3.2
    assert digit_distance(x, ddpm_lib.data.mnist(train=False).x0(slice(0, 1000))) < 30  # noise: over 1,000


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(weights.FOLDER, tmp_path / "weights")
    monkeypatch.setattr(weights, "FOLDER", tmp_path / "weights")
    path = tmp_path / "weights" / "cpu-minutes.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match="does not have its published checksum: reinstall ddpm-lib"):
        ddpm_lib.load("cpu-minutes")


def test_a_large_network_lies_in_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights.FOLDER / "cpu-minutes.safetensors"
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "MOST_BYTES", 500_000)
    parts = weights.install(whole, "big")
    assert [part.name for part in parts] == [f"big-{i}-of-3.safetensors" for i in (1, 2, 3)]
    sizes = [part.stat().st_size for part in parts]
    assert max(sizes) < 1.1 * min(sizes)
    write_sums(tmp_path)
    assert weights.shipped() == ["big"]
    together, alone = ddpm_lib.load("big"), ddpm_lib.load(whole)
    assert together.tensors.keys() == alone.tensors.keys()
    assert all(torch.equal(together.tensors[name], alone.tensors[name]) for name in alone.tensors)
    assert together.model_config == alone.model_config
    parts[1].unlink()
    with pytest.raises(CheckpointError, match="'big' some files are missing: reinstall"):
        ddpm_lib.load("big")
    weights.install(whole, "big")  # anew, and no old part is left
    assert len(weights.files("big")) == 3


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        CheckpointError,
        match="no weights 'unet-xl': pass a checkpoint's path, cpu-few, cpu-hour, cpu-minutes",
    ):
        ddpm_lib.load("unet-xl")
    with pytest.raises(CheckpointError, match=r"nothing\.safetensors does not exist"):
        ddpm_lib.load("nothing.safetensors")
