"""What importing a part of the package, or loading a network, drags in: asked of a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A network that comes with the package, from its name to its weights: torch's compiler is 800 modules, and 5 seconds.
LOADING = "ddpm_lib; ddpm_lib.load('cpu-minutes').network()"
FEW = 100  # modules, besides torch's own
# What is imported, and what that must not drag in.
UNWANTED = {
    "ddpm_lib": ["torch", "numpy", "matplotlib"],
    "ddpm_lib.sampling": ["matplotlib", "anywidget", "PIL", "ddpm_lib.train"],
    "ddpm_lib.models": ["matplotlib", "ddpm_lib.schedule", "ddpm_lib.diffusion"],
    "ddpm_lib.models.trained": ["matplotlib", "PIL", "ddpm_lib.train", "ddpm_lib.data"],
    "ddpm_lib.train.checkpoint": ["matplotlib", "anywidget", "IPython"],
    "ddpm_lib.widgets": ["ddpm_lib.train", "ddpm_lib.cli"],
    "ddpm_lib.web.export": ["ddpm_lib.train", "ddpm_lib.data", "matplotlib"],
    "ddpm_lib.__main__": ["onnx", "onnxruntime", "diffusers", "accelerate", "webdataset"],
    "ddpm_lib.formats.onnx_file": ["onnx", "onnxruntime", "diffusers", "matplotlib", "ddpm_lib.train"],
    LOADING: ["torch._dynamo", "sympy", "matplotlib", "ddpm_lib.train"],
    "ddpm_lib.formats.pipeline_folder": ["onnx", "diffusers", "matplotlib", "onnxruntime", "ddpm_lib.train"],
}
# A fresh interpreter, for this one has imported everything already; after `ddpm_lib` itself, each module in a fork of
# one that has imported torch, which takes longest and which they all need.
LOADED = """
import json, os, sys
wanted = json.loads(sys.argv[1])
def report(module):
    before = len(sys.modules)
    exec(f"import {module}")
    unwanted = [name for name in wanted[module] if name in sys.modules]
    print(json.dumps([module, [unwanted, len(sys.modules) - before]]), flush=True)
report("ddpm_lib")
import torch
for module in wanted:
    if module != "ddpm_lib":
        child = os.fork()
        if not child:
            try:
                report(module)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, tuple[list[str], int]]:
    """What each of those modules drags in of what it must not, and how many modules in all."""
    command = [sys.executable, "-c", LOADED, json.dumps(UNWANTED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("module", UNWANTED)
def test_importing_a_part_does_not_drag_in_the_rest(
    loaded: dict[str, tuple[list[str], int]], module: str
) -> None:
    assert loaded[module][0] == []


def test_a_network_is_loaded_by_few_modules(loaded: dict[str, tuple[list[str], int]]) -> None:
    assert loaded[LOADING][1] < FEW
