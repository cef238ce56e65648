"""A compiled network computes and learns what the plain one does, under the same names, and says what it lacks."""

import functools
import json
import shutil
import subprocess
import sys

import pytest
import torch
from torch import nn

from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.train.checkpoint import load_checkpoint
from ddpm_lib.train.machine import compiling as fast

SMALL = UNetConfig(base=8, mults=(1,), blocks=1)


def test_a_compiled_run_learns_what_the_plain_one_does(tmp_path):
    command = [sys.executable, "-m", "tests.compiled_script", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["graphs"] > 0  # it was compiled at all
    assert result["compiled"] == pytest.approx(result["plain"], rel=1e-4)  # rounding in another order
    plain, compiled = (load_checkpoint(tmp_path / f"{name}.safetensors") for name in ("False", "True"))
    assert compiled.machine.compile
    assert not plain.machine.compile
    assert plain.tensors.keys() == compiled.tensors.keys()
    for name, tensor in plain.tensors.items():
        if name.startswith("ema."):
            assert torch.allclose(compiled.tensors[name], tensor, atol=1e-4), name


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
