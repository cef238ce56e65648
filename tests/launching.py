"""How the tests launch several processes, and what their runs leave."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import load
from ddpm_lib.__main__ import main

TESTS = Path(__file__).parent


def environment() -> dict[str, str]:
    """One thread a process, gloo on the loopback where there is one by that name, and this checkout's package."""
    path = os.pathsep.join([str(TESTS.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    lo = {"GLOO_SOCKET_IFNAME": "lo"} if Path("/sys/class/net/lo").exists() else {}
    return {**os.environ, **lo, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def accelerate(*command: str) -> list[str]:
    two = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--main_process_port", "0"]
    return [sys.executable, "-m", "accelerate.commands.launch", *two, *command]


def torchrun(*command: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *command]


def execute(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=900, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small color pictures in two classes, in a folder `photos`."""
    where = tmp_path_factory.mktemp("launched")
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (where / "photos" / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 256, (10, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(where / "photos" / name / f"{i}.png")
    return where


def training(folder: Path, out: str, *more: str) -> list[str]:
    options = ["--size", "8", "--batch", "4", "--precision", "float32", "--device", "cpu", "--steps", "40"]
    return ["train", "unet", "--data", str(folder / "photos"), "--out", str(folder / out), *options, *more]


@pytest.fixture(scope="module")
def straight(folder: Path) -> Path:
    """A run of forty steps in one process, without an interruption."""
    assert main(training(folder, "straight")) == 0
    return folder / "straight"


SAMPLING = ["--count", "5", "--columns", "5", "--steps", "3", "--device", "cpu", "--grid"]


@pytest.fixture(scope="module")
def notebook(folder: Path, straight: Path) -> Path:
    """The folder, after a notebook has launched the script, a training and a sampling in two processes each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    sampling = ["sample", str(straight / "checkpoint.safetensors"), *SAMPLING, str(folder / "two.png")]
    sampling += ["--folder", str(folder / "two")]
    lines = [" ".join(training(folder, "notebook")), " ".join(sampling)]
    done = execute([sys.executable, str(TESTS / "notebook_script.py"), port, str(folder), *lines], folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def two(notebook: Path) -> list[dict[str, Any]]:
    """The same in two processes: what each of them saw."""
    return [json.loads((notebook / f"{rank}.json").read_text()) for rank in (0, 1)]


def losses(out: Path) -> dict[int, float]:
    rows = [line.split(",") for line in (out / "loss.csv").read_text().splitlines()]
    return {int(step): float(loss) for step, loss, _ in rows}


def same_end(a: Path, b: Path) -> None:
    """Two runs of forty steps ended with the same checkpoint within rounding, and left nothing else."""
    ours, theirs = load(a / "checkpoint.safetensors"), load(b / "checkpoint.safetensors")
    assert ours.step == theirs.step == 40
    assert ours.training == theirs.training
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name in ours.tensors:
        if name.startswith(("model.", "ema.")):
            # Adam divides by a root of squared gradients, and early on lifts the rounding of the small ones.
            assert float((ours.tensors[name] - theirs.tensors[name]).abs().max()) < 1e-4, name
    assert torch.equal(ours.tensors["rng"], theirs.tensors["rng"])
    for step, loss in losses(b).items():
        assert loss == pytest.approx(losses(a)[step], abs=2e-5)
    assert sorted(path.name for path in b.iterdir()) == ["checkpoint.safetensors", "loss.csv"]
