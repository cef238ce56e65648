"""A compiled network computes and learns what the plain one does, under the same names, and says what it lacks."""

import functools
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn

from ddpm_lib import fast
from ddpm_lib.checkpoint import About, load_checkpoint, save_checkpoint
from ddpm_lib.data import Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import TrainConfig, train

SMALL = UNetConfig(base=8, mults=(1, 2), blocks=1, groups=1, activation="silu", classes=10)
CONFIG = TrainConfig(steps=6, batch=4, lr=1e-3, every=1)


@pytest.fixture
def graph_only(monkeypatch):
    """Dynamo and AOTAutograd do their part; the kernels are torch's own. (Generating C++ takes a minute.)"""
    real = nn.Module.compile
    monkeypatch.setattr(
        nn.Module, "compile", lambda self, mode, dynamic: real(self, backend="aot_eager", dynamic=dynamic)
    )


def run(compile, tmp_path=None):
    torch.manual_seed(0)
    config = replace(CONFIG, compile=compile)
    schedule = linear_schedule(100)
    batches = Batches(mnist(train=False), config.batch)
    progress = list(train(UNet(SMALL), GaussianDiffusion(schedule), batches, config))
    if tmp_path:
        save_checkpoint(tmp_path / "c.safetensors", progress[-1].state, schedule, config, About())
    return [p.loss for p in progress], progress[-1].state


def test_a_compiled_run_learns_what_the_plain_one_does(graph_only, tmp_path):
    plain, straight = run(False)
    compiled, state = run(True, tmp_path)
    assert compiled == pytest.approx(plain, rel=1e-4)  # fused kernels round in another order
    assert state.model.state_dict().keys() == straight.model.state_dict().keys()
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0  # it was compiled at all
    read = load_checkpoint(tmp_path / "c.safetensors")
    assert read.train_config.compile
    for name, tensor in straight.ema.average.state_dict().items():
        assert torch.allclose(read.tensors[f"ema.{name}"], tensor, atol=1e-4), name


def test_a_machine_without_a_compiler_is_told_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"needs a C\+\+ compiler"):
        fast.compile_network(UNet(SMALL))


def test_the_compiler_that_the_environment_names_is_looked_for(monkeypatch):
    asked = []
    monkeypatch.setenv("CXX", "my-compiler")
    monkeypatch.setattr(shutil, "which", lambda name: asked.append(name) or "/somewhere")
    monkeypatch.setattr(nn.Module, "compile", functools.partialmethod(lambda self, **how: None))
    fast.compile_network(UNet(SMALL))
    assert asked[0] == "my-compiler"


def test_tuning_leaves_a_cpu_alone():
    before = torch.get_float32_matmul_precision()
    fast.tune(torch.device("cpu"))
    assert torch.get_float32_matmul_precision() == before
