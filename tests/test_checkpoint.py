"""A run that was saved and resumed is the run that was not, and a file that is no checkpoint says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import ddpm_lib
from ddpm_lib.models import MLPConfig, ResNetConfig, UNetConfig
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.models.trained import About, export_weights
from ddpm_lib.sampling import sample
from ddpm_lib.schedule import NoiseSchedule
from ddpm_lib.train import Machine, TrainConfig
from ddpm_lib.train.checkpoint import load_checkpoint, save_checkpoint
from tests.helpers import close
from tests.saved_run import ABOUT, CONFIG, SCHEDULE, TINY, fresh, go_on, saved

LABELLED = replace(TINY, classes=10, dropout=0.2, predicts="v")


def everything(state):
    """All tensors of a training state, by name."""
    tensors = {f"model.{name}": t for name, t in state.model.state_dict().items()}
    tensors |= {f"ema.{name}": t for name, t in state.ema.average.state_dict().items()}
    for i, parameter in enumerate(state.model.parameters()):
        tensors |= {f"optimizer.{i}.{key}": t for key, t in state.optimizer.state[parameter].items()}
    return tensors | {"rng": state.generator.get_state()}


@pytest.mark.parametrize("model_config", [TINY, LABELLED], ids=["plain", "labels-and-dropout"])
@pytest.mark.parametrize(
    "options",
    [
        ({}, {}),
        ({}, {"channels_last": True}),
        ({}, {"channels_last": True, "winograd": 1}),
        ({}, {"precision": "bfloat16"}),
        ({"draw_t": "lognormal", "seed": 3}, {"accumulate": 2}),
    ],
    ids=["float32", "channels-last", "winograd", "bfloat16", "lognormal"],
)
def test_a_resumed_run_equals_the_straight_one_to_the_bit(tmp_path, model_config, options):
    config, machine = replace(CONFIG, **options[0]), Machine(**options[1])
    straight = fresh(model_config, config)
    losses = go_on(straight, config, 6, machine)
    _, path = saved(tmp_path, model_config, config, 3, machine)
    torch.manual_seed(99)  # another process, with other random numbers
    checkpoint = load_checkpoint(path)
    resumed = checkpoint.resume()
    assert resumed.step == 3
    assert checkpoint.machine == machine
    assert go_on(resumed, checkpoint.train_config, 6, checkpoint.machine) == losses[3:]
    ours, theirs = everything(resumed), everything(straight)
    assert ours.keys() == theirs.keys()
    assert {name for name in ours if name.startswith("optimizer.0.")} == {
        f"optimizer.0.{key}" for key in ("step", "exp_avg", "exp_avg_sq")
    }
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert resumed.step == straight.step == 6


def test_a_checkpoint_before_the_first_step_resumes_too(tmp_path):
    straight = fresh(TINY, CONFIG)
    losses = go_on(straight, CONFIG, 2)
    _, path = saved(tmp_path, steps=0)
    assert go_on(load_checkpoint(path).resume(), CONFIG, 2) == losses


def test_what_is_loaded_is_what_was_saved(tmp_path):
    state, path = saved(tmp_path, LABELLED)
    checkpoint = load_checkpoint(path)
    resumed = checkpoint.resume()
    ours, theirs = everything(resumed), everything(state)
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []
    assert (resumed.step, resumed.seconds) == (state.step, state.seconds)
    assert (checkpoint.step, checkpoint.seconds) == (2, state.seconds)
    assert checkpoint.about == ABOUT
    assert checkpoint.train_config == CONFIG
    assert torch.equal(checkpoint.schedule.beta, SCHEDULE.beta)
    assert checkpoint.schedule.name == "cosine"
    assert torch.equal(checkpoint.diffusion.schedule.alpha_bar, SCHEDULE.alpha_bar)


def test_a_run_can_be_resumed_with_another_configuration(tmp_path):
    _, path = saved(tmp_path)
    state = load_checkpoint(path).resume(config=replace(CONFIG, ema=0.5, steps=9))
    assert state.ema.decay == 0.5
    assert len(go_on(state, replace(CONFIG, steps=9), 9)) == 7


def test_a_run_saved_on_another_kind_of_device_goes_on_and_says_that_it_is_not_to_the_bit(tmp_path):
    _, path = saved(tmp_path)
    checkpoint = load_checkpoint(path)
    elsewhere = dict(checkpoint.tensors) | {"rng": torch.zeros(16, dtype=torch.uint8)}  # as short as CUDA's
    with pytest.warns(UserWarning, match=r"another kind of device than cpu.*not to the bit"):
        state = replace(checkpoint, tensors=elsewhere).resume()
    assert state.generator.initial_seed() == CONFIG.seed + 2
    assert len(go_on(state, CONFIG, 4)) == 2


@pytest.mark.parametrize(
    "model_config",
    [
        LABELLED,
        UNetConfig(base=8, mults=(1, 1, 2), attention=(0, 2), heads=2, fold=2, predicts="x0"),
        ResNetConfig(width=4, blocks=2, time=True),
        ResNetConfig(),
        MLPConfig(width=8, layers=2, predicts="v"),
    ],
)
def test_every_kind_of_network_keeps_its_configuration(tmp_path, model_config):
    config = TrainConfig(steps=3, seconds=12.5, betas=(0.8, 0.9), decay="none")
    state, path = fresh(model_config, config), tmp_path / "x.safetensors"
    own = NoiseSchedule(torch.tensor([0.0, 0.25, 0.5], dtype=torch.float64))
    machine = Machine(precision="bfloat16")
    about = About("points", (2,) if isinstance(model_config, MLPConfig) else (1, 8, 8))
    save_checkpoint(path, state, own, config, about, machine)
    checkpoint = load_checkpoint(path)
    assert checkpoint.model_config == model_config
    assert (checkpoint.train_config, checkpoint.machine) == (config, machine)
    assert checkpoint.about == about
    assert checkpoint.schedule.beta.tolist() == [0.0, 0.25, 0.5]
    assert checkpoint.network().config == model_config


def test_the_network_of_a_checkpoint_is_the_average_frozen_and_ready_to_sample(tmp_path):
    state, path = saved(tmp_path)
    net = ddpm_lib.load(path).network()
    assert not net.training
    assert not any(p.requires_grad for p in net.parameters())
    for name, value in net.state_dict().items():
        assert torch.equal(value, state.ema.average.state_dict()[name])
    assert any(not torch.equal(v, state.model.state_dict()[k]) for k, v in net.state_dict().items())
    *_, last = sample(net, ddpm_lib.load(path).diffusion, (1, 8, 8), seeds=[0], steps=2)
    assert last.t == 0


@pytest.mark.parametrize("half", [False, True])
def test_exported_weights_sample_but_cannot_be_trained_on(tmp_path, half):
    state, path = saved(tmp_path)
    out = tmp_path / "weights.safetensors"
    export_weights(out, load_checkpoint(path), half=half)
    dtypes = {t.dtype for name, t in load_file(out).items() if name.startswith("ema.")}
    assert dtypes == {torch.float16 if half else torch.float32}
    assert out.stat().st_size < path.stat().st_size / (6 if half else 3)
    exported = load_checkpoint(out)
    for name, value in exported.network().state_dict().items():
        assert value.dtype == torch.float32
        close(value, state.ema.average.state_dict()[name], 1e-3 if half else 1e-12)
    assert torch.equal(exported.schedule.beta, SCHEDULE.beta)
    assert (exported.about, exported.step) == (ABOUT, 2)
    with pytest.raises(
        CheckpointError, match="exported weights without an optimizer, so that their run cannot go on"
    ):
        exported.resume()
