"""Two processes are one run: the same losses and weights as one process gives, one checkpoint, one way to stop.

The processes are real: torchrun, `accelerate launch` and notebook_launcher start them on the CPU; they talk by gloo.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lib.__main__ import main
from ddpm_lib.train.machine import processes as module
from ddpm_lib.train.machine.processes import Processes
from tests import processes_script as script
from tests.launching import SAMPLING, same_end
from tests.launching import folder as folder
from tests.launching import notebook as notebook
from tests.launching import straight as straight
from tests.launching import two as two

# Sums over a batch are taken in another order: float32 rounds at 6e-8, the losses are near 1, the weights near 0.3.
# Six steps of Adam carry that on; the bound leaves ten times what was seen (6e-8 and 3e-7).
LOSS_OFF, WEIGHT_OFF = 1e-6, 3e-6


@pytest.fixture(scope="module")
def one() -> dict[str, Any]:
    """Everything that the script computes, in this process."""
    return script.everything(Processes())


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
@pytest.mark.slow
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


def test_a_notebook_launches_training_and_sampling_in_two_lines(notebook: Path, straight: Path) -> None:
    same_end(straight, notebook / "notebook")
    one = notebook / "one.png"
    assert main(["sample", str(straight / "checkpoint.safetensors"), *SAMPLING, str(one)]) == 0
    assert [file.name for file in sorted((notebook / "two").iterdir())] == [
        f"{seed:06}.png" for seed in range(5)
    ]
    a, b = (np.asarray(Image.open(path), int) for path in (one, notebook / "two.png"))
    assert np.abs(a - b).max() <= 1  # a level of grey, where the batch's size turns a rounding
