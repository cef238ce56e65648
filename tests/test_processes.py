"""Two processes are one run: the same losses and weights as one process gives, one checkpoint, one way to stop.

The processes are real: torchrun, `accelerate launch` and notebook_launcher start them on the CPU; they talk by gloo.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Batch, Machine, TrainConfig, TrainingError, train
from ddpm_lib.train.machine import processes as module
from ddpm_lib.train.machine.processes import LaunchError, Processes, accelerated, launched
from tests import processes_script as script

TESTS = Path(__file__).parent
# Sums over a batch are taken in another order: float32 rounds at 6e-8, the losses are near 1, the weights near 0.3.
# Six steps of Adam carry that on; the bound leaves ten times what was seen (6e-8 and 3e-7).
LOSS_OFF, WEIGHT_OFF = 1e-6, 3e-6


def environment() -> dict[str, str]:
    """One thread a process, gloo on the loopback where there is one by that name, and this checkout's package."""
    path = os.pathsep.join([str(TESTS.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    lo = {"GLOO_SOCKET_IFNAME": "lo"} if Path("/sys/class/net/lo").exists() else {}
    return {**os.environ, **lo, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}


def torchrun(*command: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *command]


def accelerate(*command: str) -> list[str]:
    two = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--main_process_port", "0"]
    return [sys.executable, "-m", "accelerate.commands.launch", *two, *command]


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


# -- the same numbers ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one() -> dict[str, Any]:
    """Everything that the script computes, in this process."""
    return script.everything(Processes())


@pytest.fixture(scope="module")
def two(notebook: Path) -> list[dict[str, Any]]:
    """The same in two processes: what each of them saw."""
    return [json.loads((notebook / f"{rank}.json").read_text()) for rank in (0, 1)]


def off(a: list[float], b: list[float]) -> float:
    assert len(a) == len(b)
    return float((torch.tensor(a) - torch.tensor(b)).abs().max())


def same_run(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Two runs agree within rounding, and drew the same random numbers."""
    assert off(a["losses"], b["losses"]) < LOSS_OFF
    assert off(a["weights"], b["weights"]) < WEIGHT_OFF
    assert off(a["average"], b["average"]) < WEIGHT_OFF
    assert a["rng"] == b["rng"]


@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_of_32_images_are_one_of_64(
    one: dict[str, Any], two: list[dict[str, Any]], rank: int
) -> None:
    assert one["plain"]["losses"][-1] < one["plain"]["losses"][0]  # something is learnt
    same_run(one["plain"], two[rank]["plain"])
    assert two[rank]["plain"]["apart"] == 0  # the processes hold the same weights to the bit


def test_a_batch_in_pieces_is_the_batch_in_one_or_more_processes(
    one: dict[str, Any], two: list[dict[str, Any]]
) -> None:
    same_run(one["plain"], one["pieces"])
    same_run(one["plain"], script.run(Processes(), accumulate=4))
    for seen in two:
        same_run(one["plain"], seen["pieces"])
        same_run(one["flipped"], seen["flipped"])
    assert off(one["flipped"]["losses"], one["plain"]["losses"][:2]) > 10 * LOSS_OFF  # other images


def test_dropout_is_that_of_the_pieces_wherever_they_are_computed(
    one: dict[str, Any], two: list[dict[str, Any]]
) -> None:
    for seen in two:
        same_run(one["dropout"], seen["dropout"])
    whole = script.run(Processes(), dropout=0.3)
    assert off(whole["losses"], one["dropout"]["losses"]) > 100 * LOSS_OFF  # other features, as documented


def test_a_run_bounded_by_seconds_follows_one_clock(two: list[dict[str, Any]]) -> None:
    a, b = (seen["bounded"] for seen in two)
    assert a["seconds"][-1] >= 0.5
    assert a["seconds"] == b["seconds"]
    assert a["lrs"] == b["lrs"]  # or the weights would drift apart
    assert a["apart"] == b["apart"] == 0


def test_a_loss_that_is_not_finite_in_one_process_stops_all(two: list[dict[str, Any]]) -> None:
    for seen in two:
        assert seen["not finite"].startswith("The loss of step 3 is nan: lower the learning rate")


def test_what_the_processes_tell_one_another(one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    rows = [[i, i] for i in range(7)]  # seven in two parts: 3 and 4
    expected = {"gathered": rows, "mean": [0.5, 1.0], "clock": 10.0, "anyone": [True, False, True]}
    for rank, seen in enumerate(two):
        assert seen["primitives"] == {**expected, "main_first": rank}
    alone = {"mean": [0.0, 1.0], "anyone": [False, False, True], "main_first": 0}
    assert one["primitives"] == {**expected, **alone}


def test_images_depend_on_their_seeds_alone(one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    expected = torch.tensor(one["drawn"])
    for seen in two:
        assert float((torch.tensor(seen["drawn"]) - expected).abs().max()) < 1e-5
    assert float(expected.std()) > 0.1


def test_shares_are_in_order_and_differ_by_one_at_most() -> None:
    for n in (0, 1, 5, 64):
        several = [Processes() for _ in range(3)]
        for rank, processes in enumerate(several):
            processes.rank, processes.world = rank, 3
        parts = [list(range(n))[processes.part(n)] for processes in several]
        assert list(chain(*parts)) == list(range(n))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_network_is_never_the_last_to_hold_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    group: object = object()
    ended: list[list[object]] = []
    torchs = SimpleNamespace(is_initialized=lambda: True, group=SimpleNamespace(WORLD=group))
    monkeypatch.setattr(module, "distributed", torchs)
    monkeypatch.setattr(module, "_left", [])
    accelerator = SimpleNamespace(
        device="cpu", process_index=0, num_processes=2, end_training=lambda: ended.append(list(module._left))
    )
    module.Accelerated(accelerator).close()
    assert ended == [[group]]  # kept before the goodbye, or it would be destroyed with the network


# -- the command line ----------------------------------------------------------------------------------------


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


@pytest.fixture(scope="module")
def killed(folder: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The same run by torchrun in two processes, one of which is killed in step 26."""
    command = training(folder, "killed", "--save-every", "0.001")
    return folder / "killed", execute(torchrun(str(TESTS / "killed_script.py"), *command), folder)


def test_a_process_that_dies_ends_the_run_with_one_sentence_and_a_checkpoint(
    killed: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = killed
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "ddpm_lib train (process 0): " in line]
    assert len(said) == 1, done.stderr
    assert "Another of the 2 processes ended or does not answer" in said[0]
    assert f"go on from the last checkpoint with `train --resume {out}" in said[0]
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.safetensors", "loss.csv"]
    assert load(out / "checkpoint.safetensors").step == 20
    assert list(losses(out)) == [10, 20]


def test_what_is_left_of_it_goes_on_in_one_process_as_the_straight_run(
    folder: Path, straight: Path, killed: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    shutil.copytree(killed[0], folder / "resumed")
    assert main(["train", "--resume", str(folder / "resumed"), "--device", "cpu"]) == 0
    same_end(straight, folder / "resumed")


def test_and_in_two_that_accelerate_launches(
    folder: Path, straight: Path, killed: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    shutil.copytree(killed[0], folder / "again")
    command = ["train", "--resume", str(folder / "again"), "--device", "cpu"]
    done = execute(accelerate("-m", "ddpm_lib", *command), folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Finished after 40 steps") == 1  # one process speaks
    same_end(straight, folder / "again")


def test_ctrl_c_stops_all_processes_and_saves_once(folder: Path) -> None:
    command = torchrun("-m", "ddpm_lib", *training(folder, "stopped", "--steps", "1000000"))
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 900
    while not (folder / "stopped" / "loss.csv").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "training did not start"
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)  # to the launcher and what shares its terminal
    stdout, stderr = process.communicate(timeout=900)
    assert stdout.count("Stopped after") == 1, stderr
    assert stderr.count("stopping after the next few steps") == 1
    assert load(folder / "stopped" / "checkpoint.safetensors").step > 0


def test_a_notebook_launches_training_and_sampling_in_two_lines(notebook: Path, straight: Path) -> None:
    same_end(straight, notebook / "notebook")
    one = notebook / "one.png"
    assert main(["sample", str(straight / "checkpoint.safetensors"), *SAMPLING, str(one)]) == 0
    assert [file.name for file in sorted((notebook / "two").iterdir())] == [
        f"{seed:06}.png" for seed in range(5)
    ]
    a, b = (np.asarray(Image.open(path), int) for path in (one, notebook / "two.png"))
    assert np.abs(a - b).max() <= 1  # a level of grey, where the batch's size turns a rounding


# -- mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "world", "accumulate"), [(64, 3, 1), (64, 2, 3), (5, 1, 2), (4, 1, 0)])
def test_a_batch_that_cannot_be_shared_is_refused(batch: int, world: int, accumulate: int) -> None:
    processes = Processes()
    processes.world = world
    config, machine = TrainConfig(batch=batch), Machine(accumulate=accumulate)
    multiple = max(world * accumulate, 1)
    diffusion = GaussianDiffusion(linear_schedule(50))

    def points(step: int) -> Batch:
        return torch.zeros(batch, 2), None

    with pytest.raises(TrainingError, match=f"batch of {batch} cannot be cut .* a multiple of {multiple}"):
        next(train(MLP(MLPConfig(width=8)), diffusion, points, config, machine=machine, processes=processes))


def test_one_process_needs_no_accelerate_and_several_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(LaunchError, match="pip install accelerate"):
        accelerated()
    assert not launched()


def as_launched(monkeypatch: pytest.MonkeyPatch, rank: int = 0) -> None:
    for name, value in (("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", 2), ("LOCAL_WORLD_SIZE", 2)):
        monkeypatch.setenv(name, str(value))


def test_more_processes_than_gpus_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    as_launched(monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert main(["train", "--dry-run"]) == 2
    assert "2 processes were launched on this machine, which has 1 GPU(s)" in capsys.readouterr().err


@pytest.mark.parametrize(("rank", "said"), [(0, 1), (1, 0)])
def test_a_mistake_that_all_processes_make_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rank: int, said: int
) -> None:
    as_launched(monkeypatch, rank)
    assert main(["train", "--device", "cuda:1"]) == 2
    assert capsys.readouterr().err.count("Every process takes a device of its own") == said
