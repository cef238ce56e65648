"""`train --init`: a run that begins with trained weights, and is from there on a run like any other."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.data import Batches, image_folder
from ddpm_lib.loss import draw_t, simple_loss, t_weights
from ddpm_lib.models import build, storage
from ddpm_lib.train import start
from ddpm_lib.train import train as loop
from ddpm_lib.train.checkpoint import load_checkpoint
from tests.kept_run import at_first_progress as at_first_progress
from tests.launching import execute, losses, torchrun
from tests.own_run import CHOSEN
from tests.theirs import saved
from tests.tiny import CPU, TINY, pictures, train
from tests.tiny import tiny as tiny

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: pictures of cats and dogs in `old` and others in `new`, and a run on the old in `given`."""
    monkeypatch.chdir(tmp_path)
    pictures(Path("old"))
    pictures(Path("new"), ("frogs", "toads"), 7)
    assert train(Path("old"), Path("given"), *CHOSEN, "--steps", "30", "--lr", "0.01") == 0
    return tmp_path


def begin(weights: str, out: str, *more: str) -> None:
    """Begin a run on the new pictures, for six steps."""
    command = ["train", "--init", weights, "--data", "new", "--out", out, "--steps", "6"]
    assert main([*command, "--precision", "float32", *CPU, *more]) == 0


def by_hand(weights: str, out: str, steps: int) -> dict[str, torch.Tensor]:
    """The tensors of the first steps of run `out`, by the loop in Python, from those weights."""
    trained, config = load(weights), load_checkpoint(out).train_config
    data = image_folder("new", 8, trained.about.shape[0], say=str)
    state = start(build(trained.model_config), config)
    for model in (state.model, state.ema.average):
        model.load_state_dict(trained.network().state_dict())
    for progress in loop(state.model, trained.diffusion, Batches(data, config.batch), config, state):
        if progress.step == steps:
            break
    kept = {"model": state.model.state_dict(), "ema": state.ema.average.state_dict()}
    return {f"{part}.{name}": t for part, tensors in kept.items() for name, t in tensors.items()}


def test_network_and_noise_are_those_of_the_weights_and_the_training_is_the_preset_s(here: Path) -> None:
    begin("given", "tuned", "--lr", "0.002")
    begin("given", "gently")
    given, tuned = load_checkpoint("given"), load_checkpoint("tuned")
    assert tuned.model_config == given.model_config
    assert torch.equal(tuned.schedule.beta, given.schedule.beta)
    assert tuned.train_config == replace(TINY.train, steps=6, lr=0.002)
    assert load_checkpoint("gently").train_config == replace(TINY.train, steps=6, lr=2e-4)
    assert (tuned.step, tuned.about.shape, tuned.about.classes) == (6, (3, 8, 8), ("frogs", "toads"))


def test_the_first_loss_is_that_of_the_given_weights(here: Path) -> None:
    begin("given", "tuned", "--steps", "1")
    given = load("given")
    x0, y = Batches(image_folder("new", 8, say=str), 4)(0)
    assert y is not None
    rng = torch.Generator().manual_seed(0)
    t = draw_t(4, t_weights(given.schedule, "uniform").float(), rng)
    eps = torch.randn(x0.shape, generator=rng)
    labels = torch.where(torch.rand(4, generator=rng) < TINY.train.label_drop, 2, y)

    def loss(network: Any) -> float:
        with torch.no_grad():
            return float(simple_loss(network, given.diffusion, x0, t, eps, labels))

    (first,) = losses(Path("tuned")).values()
    assert first == pytest.approx(loss(given.network()), abs=2e-6)
    assert abs(first - loss(build(given.model_config))) > 0.01


@pytest.mark.parametrize("what", ["run", "exported", "half", "resnet"])
def test_after_some_steps_the_weights_are_those_of_the_loop_by_hand(here: Path, what: str) -> None:
    weights = "given"
    if what in ("exported", "half"):
        weights = "given.safetensors"
        assert main(["export", "given", "--out", weights, *(["--half"] if what == "half" else [])]) == 0
    if what == "resnet":
        weights = "timed"
        options = ["--preset", "timed-resnet", "--width", "4", "--batch", "4", "--steps", "9", "--lr", "0.01"]
        assert (
            main(["train", "resnet", "--data", "old", "--size", "8", "--out", weights, *options, *CPU]) == 0
        )
    begin(weights, "tuned", "--preset", "cpu-minutes")
    found, wanted = load("tuned").tensors, by_hand(weights, "tuned", 6)
    assert wanted.keys() == {name for name in found if name.startswith(("model.", "ema."))}
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), name
    assert (load("tuned").about.classes, load("tuned").init) == (("frogs", "toads"), weights)


def test_it_is_stopped_and_goes_on_to_the_bit_without_the_weights(
    here: Path, at_first_progress: list[Any]
) -> None:
    begin("given", "straight")
    at_first_progress.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    begin("given", "stopped")
    assert load("stopped").step < 6
    Path("given").rename("gone")
    assert main(["train", "--resume", "stopped", *CPU]) == 0
    straight, stopped = load("straight"), load("stopped")
    assert (stopped.step, stopped.init) == (6, "given")
    assert stopped.tensors.keys() == straight.tensors.keys()
    for name, tensor in straight.tensors.items():
        assert torch.equal(tensor, stopped.tensors[name]), name


def test_where_it_came_from_is_kept_and_files_of_fresh_networks_are_as_they_were(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin("given", "tuned")
    assert main(["export", "tuned", "--half", "--out", "tuned.safetensors"]) == 0
    assert load("tuned.safetensors").init == "given"
    assert "init" not in json.loads(storage.read("given")[0]["config"])
    capsys.readouterr()
    assert main(["sample", "tuned.safetensors", "--dry-run", *CPU]) == 0
    assert "trained = 6 steps on new, from the weights of given\n" in capsys.readouterr().out
    assert main(["train", "--resume", "tuned", "--dry-run", *CPU]) == 0
    assert capsys.readouterr().out.count("init = the run's own checkpoint (6 steps on new, from the ") == 1


def test_a_dry_run_says_what_comes_from_the_weights(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Size and channels, too: the same pictures would be 32 pixels wide."""
    begin("given", "dry", "--dry-run")
    said = capsys.readouterr().out
    given = "its network, its noise (linear, T = 40) and its averaged weights (30 steps on old)"
    for line in (f"init = given: {given}", "model.base = 12", "data.shape = (3, 8, 8)", "train.steps = 6"):
        assert f"{line}\n" in said
    begin("given", "dry", "--dry-run", "--size", "16")
    assert "data.shape = (3, 16, 16)\n" in capsys.readouterr().out
    assert not Path("dry").exists()
    begin("given", "tuned")
    said = capsys.readouterr().out
    assert f"The run begins with given: {given}." in said
    assert "The classes of given were cats, dogs; from here on they are frogs, toads." in said


def test_a_network_from_diffusers_is_fine_tuned(here: Path) -> None:
    """Of 16 pixels and three channels, without classes: grey pictures in subfolders are read so."""
    saved(Path("butterflies"))
    assert main(["import", "butterflies"]) == 0
    begin("butterflies.safetensors", "tuned", "--lr", "0.0001", "--size", "8")
    wanted = by_hand("butterflies.safetensors", "tuned", 6)
    assert all(torch.equal(load("tuned").tensors[name], tensor) for name, tensor in wanted.items())
    begin("butterflies.safetensors", "large", "--steps", "1")
    assert load("large").about.shape == (3, 16, 16)


@pytest.mark.slow
def test_two_processes_begin_with_the_weights_as_one_does(here: Path) -> None:
    command = ["train", "--init", "given", "--data", "new", "--precision", "float32", "--steps", "6", *CPU]
    command += ["--preset", "gpu-minutes", "--batch", "4", "--out"]  # the tiny preset is this process's alone
    assert main([*command, "one"]) == 0
    done = execute(torchrun("-m", "ddpm_lib", *command, "two"), here)
    assert done.returncode == 0, done.stderr
    one, two = load("one"), load("two")
    for name in one.part("model."):
        assert float((one.part("model.")[name] - two.part("model.")[name]).abs().max()) < 1e-4, name
