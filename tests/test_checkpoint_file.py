"""What can happen to a checkpoint's file: interrupted, cut, another's, old; and that it holds tensors and JSON only."""

from __future__ import annotations

import json
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ddpm_lib.models import storage
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train.checkpoint import load_checkpoint, save_checkpoint
from tests.helpers import unchecked
from tests.saved_run import ABOUT, CONFIG, SCHEDULE, TINY, fresh, go_on, saved


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    state, path = saved(tmp_path)
    before = path.read_bytes()

    def crash(tensors, part, metadata):
        part.write_bytes(b"half of")
        raise OSError("No space left on device")

    go_on(state, CONFIG, 4)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "save_file", crash)
        with pytest.raises(CheckpointError, match="No space left"):
            save_checkpoint(path, state, SCHEDULE, CONFIG, ABOUT)
    assert path.read_bytes() == before
    assert load_checkpoint(path).step == 2
    save_checkpoint(path, state, SCHEDULE, CONFIG, ABOUT)
    assert load_checkpoint(path).step == 4
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def refused(path):
    """The sentence that says why `path` is refused, which is one line that names the file."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("keep", [0, 5, 100, -1, -1000])
def test_a_truncated_file_is_refused_in_one_sentence(tmp_path, keep):
    _, path = saved(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[:keep])
    assert "is not a whole safetensors file" in refused(path)


class Malicious:
    """A pickle that would run code when loaded."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_other_files_are_refused_in_one_sentence_and_no_pickle_is_run(tmp_path):
    path = tmp_path / "x.safetensors"
    assert "does not exist" in refused(path)
    assert "does not exist" in refused(tmp_path)  # a folder
    path.write_bytes(pickle.dumps(Malicious()))
    assert "is not a whole safetensors file" in refused(path)
    path.write_text("# notes, not weights\n" * 100)
    assert "is not a whole safetensors file" in refused(path)
    save_file({"weight": torch.zeros(2)}, path)
    assert "not one of ddpm_lib/1" in refused(path)
    save_file({"weight": torch.zeros(2)}, path, {"format": "pt"})
    assert "not one of ddpm_lib/1" in refused(path)


def rewritten(path, change, drop=()):
    """The file with its header's JSON changed, and tensors left out."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    config = change(json.loads(metadata["config"]))
    tensors = {name: t for name, t in load_file(path).items() if not name.startswith(tuple(drop))}
    text = config if isinstance(config, str) else json.dumps(config)
    save_file(tensors, path, {"format": metadata["format"], "config": text})


def test_a_file_from_before_accumulate_is_read_with_the_whole_batch_in_one_piece(tmp_path):
    state, path = saved(tmp_path)

    def older(config):
        del config["train"]["accumulate"]
        return config

    rewritten(path, older)
    checkpoint = load_checkpoint(path)
    assert checkpoint.train_config == CONFIG
    assert checkpoint.machine.accumulate == 1
    assert checkpoint.resume().step == state.step


@pytest.mark.parametrize(
    "change",
    [
        lambda config: "{not json",
        lambda config: "[]",
        lambda config: {},
        lambda config: config | {"model": ["transformer", {}]},
        lambda config: config | {"model": ["unet", {"color": 3}]},
        lambda config: config | {"train": {"speed": 3}},
        lambda config: config | {"about": None},
    ],
)
def test_a_header_that_makes_no_sense_is_refused_in_one_sentence(tmp_path, change):
    _, path = saved(tmp_path)
    rewritten(path, change)
    with unchecked():
        assert "has a header that this version of ddpm_lib cannot read" in refused(path)


def test_a_file_without_a_schedule_or_without_the_weights_is_refused(tmp_path):
    _, path = saved(tmp_path)
    rewritten(path, lambda config: config, drop=["schedule."])
    assert "schedule.beta" in refused(path)
    _, path = saved(tmp_path)
    rewritten(path, lambda config: config, drop=["ema.middle", "model.middle"])
    assert "do not fit the network" in refused(path)  # at loading, before anything is drawn or trained
    _, path = saved(tmp_path)
    rewritten(path, lambda config: config, drop=["model.middle"])
    assert "lacks a part of the run's state" in refused(path)


def test_files_hold_tensors_and_json_only(tmp_path):
    _, path = saved(tmp_path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        assert set(metadata) == {"format", "config"}
    parts = {name.split(".")[0] for name in load_file(path)}
    assert parts == {"model", "ema", "optimizer", "rng", "schedule"}
    assert set(json.loads(metadata["config"])) == {"model", "schedule", "train", "about", "step", "seconds"}


def test_the_linear_schedule_keeps_its_name(tmp_path):
    state, path = fresh(TINY, CONFIG), tmp_path / "x.safetensors"
    save_checkpoint(path, state, linear_schedule(60), CONFIG, ABOUT)
    assert load_checkpoint(path).schedule.name == "linear"
