"""Classes by their names: one name is one class, in every command and every export."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from traitlets import TraitError

from ddpm_lib import class_names, load
from ddpm_lib.__main__ import main
from ddpm_lib.cli.classes import label_of
from ddpm_lib.cli.common import UsageError
from ddpm_lib.data import DataError, image_folder
from ddpm_lib.data.stream.index import read_index
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import generate
from ddpm_lib.guidance import Guided
from ddpm_lib.models import UNet
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, Trained, export_weights
from ddpm_lib.models.unet import check_labels
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.widgets import GenerateWidget
from tests.named_classes import photos as photos
from tests.named_classes import run as run
from tests.tiny import CPU, TINY, pictures, train
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")


def network(names: tuple[str, ...], classes: int | None = None, channels: int = 1) -> Trained:
    """An untrained network of these classes."""
    config = replace(TINY.model, classes=len(names) if classes is None else classes, channels=channels)
    torch.manual_seed(0)
    tensors = {f"ema.{name}": t for name, t in UNet(config).state_dict().items()}  # type: ignore[arg-type]
    return Trained(config, cosine_schedule(10), About("made", (channels, 8, 8), names), tensors)


@pytest.mark.parametrize("name", ["caf\u00e9s", "two\u00a0words", "bell\x07"])
def test_a_name_is_one_name_however_its_folder_writes_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a Mac, in shards, in a folder and on the command line."""
    pytest.importorskip("webdataset")
    run, decomposed = tmp_path / "run", unicodedata.normalize("NFD", name)
    assert train(pictures(tmp_path / "mac", (decomposed, "zebras")), run, "--steps", "2") == 0
    data = pictures(tmp_path / "linux", (name, "zebras"))
    assert main(["shard", str(data), str(tmp_path / "shards"), "--size", "8"]) == 0
    for source in (data, tmp_path / "shards"):
        assert main(["train", "--resume", str(run), "--data", str(source), "--steps", "4", *CPU]) == 0
        assert main(["evaluate", str(run), "--data", str(source), "--bits", "0", *CPU]) == 0
    for asked in (name, decomposed):
        assert label_of(load(run), asked) == 0
    out = capsys.readouterr()
    assert "\x07" not in out.out + out.err


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos", ("caf\u00e9", "cafe\u0301"))
    with pytest.raises(DataError, match="two folders for the class caf\u00e9: rename or join them"):
        image_folder(folder)
    export_weights(tmp_path / "twice.safetensors", network(("a", "a")))
    with pytest.raises(CheckpointError, match="two of its classes have one name"):
        load(tmp_path / "twice.safetensors")
    (tmp_path / "0.tar").write_bytes(bytes(2048))
    raw = {
        "format": "ddpm_lib.shards/1",
        "size": 8,
        "channels": 3,
        "classes": ["a", "a"],
        "shards": [["0.tar", 1]],
    }
    (tmp_path / "index.json").write_text(json.dumps(raw))
    with pytest.raises(DataError, match="two of its classes have one name"):
        read_index(tmp_path)


def test_a_number_is_no_class_where_the_names_are_numbers() -> None:
    named = network(("1", "2", "3"))
    assert [label_of(named, name) for name in ("1", "2", "3")] == [0, 1, 2]
    with pytest.raises(UsageError, match="There is no class 0; the classes are 1, 2, 3"):
        label_of(named, "0")
    assert label_of(network(("cats", "dogs")), "0") == 0
    assert label_of(network((), 2), "1") == 1
    with pytest.raises(UsageError, match="this network knows no classes, so leave out --class"):
        label_of(network(()), "0")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (torch.tensor([0, 3]), "no class 3: this network knows 0 to 1, and 2 for no class"),
        (torch.tensor([-1, 0]), "no class -1"),
        (torch.tensor([0.0, 1.0]), "labels are torch.float32: pass whole numbers"),
        (torch.tensor([True, False]), "labels are torch.bool"),
    ],
)
def test_a_label_outside_the_network_is_refused_by_the_network(y: torch.Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_labels(y, 2)
    model, xt, t = network(("cats", "dogs")).network(), torch.zeros(2, 1, 8, 8), torch.ones(2).long()
    model(xt, t, torch.tensor([2, 0]))  # no class, and cats
    if y.dtype is torch.int64:
        with pytest.raises(ValueError, match=words):
            model(xt, t, y)
        with pytest.raises(ValueError, match=words):
            list(generate(model, GaussianDiffusion(cosine_schedule(10)), (1, 8, 8), [0, 1], y=y, steps=2))
    with pytest.raises(ValueError, match="no class 9"):
        Guided(model, 1.0, null=9)(xt, t, torch.tensor([0, 1]))


def test_the_generator_takes_a_class_by_its_name() -> None:
    widget = GenerateWidget(network(("cats", "dogs")), digit="dogs")
    assert widget.digit == 1
    widget.digit = "cats"
    assert widget.digit == 0
    with pytest.raises(TraitError, match=r"digit is 'eels': pass 0 to 1, .* or the name of a class"):
        widget.digit = "eels"


def test_the_names_travel_with_every_export(run: Path) -> None:
    checkpoint = load(run)
    assert checkpoint.about.classes == ("cats", "dogs")
    assert main(["export", str(run)]) == 0
    assert load(run / "weights.safetensors").about.classes == ("cats", "dogs")
    assert main(["export", str(run), "--web"]) == 0
    assert '"classes": ["cats", "dogs"]' in (run / "model.js").read_text()
    pytest.importorskip("diffusers")
    assert main(["export", str(run), "--diffusers"]) == 0
    readme = (run / "diffusers" / "README.md").read_text()
    assert "`class_labels` are 0 cats, 1 dogs, and 2 for no class" in readme


def test_onnx_keeps_the_names_in_order(run: Path) -> None:
    onnx = pytest.importorskip("onnx")
    assert main(["export", str(run), "--onnx"]) == 0
    properties = {p.key: p.value for p in onnx.load(run / "model.onnx").metadata_props}
    assert json.loads(properties["classes"]) == ["cats", "dogs"]


def test_names_are_cleaned_once() -> None:
    assert class_names(class_names(["e\u0301", "\x1b[2J", "a"])) == ("\u00e9", "\\x1b[2J", "a")
