"""The graphed step takes the steps of `train`, and is trusted only where it was seen to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pytest
import torch

from ddpm_lib.data import Batches, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import Network, UNetConfig, build
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import Machine, Progress, TrainConfig, TrainingError, train
from ddpm_lib.train.machine import quickest as module
from ddpm_lib.train.machine.graph import train_graphed
from ddpm_lib.train.machine.quickest import TOLERANCE, quickest, trial

DIFFUSION = GaussianDiffusion(linear_schedule(100))
CONFIG = TrainConfig(steps=9, batch=8, every=3, warmup=0.3)
MACHINE = Machine(channels_last=True)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is asserted, so few steps are timed."""
    monkeypatch.setattr(module, "TIMED", 1)


def make(device: str = "cpu", classes: int = 10) -> Network:
    torch.manual_seed(0)
    return build(UNetConfig(base=8, mults=(1, 2), blocks=1, classes=classes, fold=2)).to(device)


def batches(device: str = "cpu") -> Batches:
    return Batches(mnist(train=False).head(64).to(device), 8)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("classes", "flip"), [(0, False), (10, False), (10, True)])
def test_unrecorded_its_steps_are_those_of_train(precision: Any, classes: int, flip: bool) -> None:
    machine, config = replace(MACHINE, precision=precision), replace(CONFIG, flip=flip)
    plain = list(train(make(classes=classes), DIFFUSION, batches(), config, machine=machine))
    loop = partial(train_graphed, record=False)
    ours = list(loop(make(classes=classes), DIFFUSION, batches(), config, machine=machine))
    assert [(p.step, p.share, p.lr) for p in ours] == [(p.step, p.share, p.lr) for p in plain]
    assert [p.loss for p in ours] == pytest.approx([p.loss for p in plain], rel=1e-6)
    pairs = zip(
        ours[-1].state.ema.average.parameters(), plain[-1].state.ema.average.parameters(), strict=True
    )
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)  # the learning rate is a float32 here


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    config = replace(CONFIG, lr=1e30, warmup=0.0, clip=0.0)
    with pytest.raises(TrainingError, match="lower the learning rate"):
        list(train_graphed(make(), DIFFUSION, batches(), config, record=False))


def test_a_path_that_raises_is_left_and_said() -> None:
    said: list[str] = []
    build_, loop = quickest(
        make, DIFFUSION, batches(), CONFIG, MACHINE, said.append
    )  # there is nothing to record on a CPU
    assert (build_, loop) == (make, train)
    assert any("a graphed step fails (" in line and line.endswith("not used") for line in said)


def test_a_path_whose_losses_differ_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    def same_noise(model: Network, diffusion: Any, data: Any, config: Any, state: Any, machine: Any) -> Any:
        """A graph whose inputs are never refreshed: what a mistake would look like."""
        return train_graphed(model, diffusion, lambda step: data(0), config, state, machine, record=False)

    def stale(*args: Any) -> Iterator[Progress]:
        for p in same_noise(*args):
            args[-2].generator.manual_seed(0)
            yield p

    said: list[str] = []
    monkeypatch.setattr(module, "train_graphed", stale)
    _, loop = quickest(make, DIFFUSION, batches(), replace(CONFIG, lr=2e-3), MACHINE, said.append)
    assert loop is train
    assert any("not used: 2% is allowed" in line for line in said)


def test_a_path_that_agrees_and_is_faster_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    faster = partial(train_graphed, record=False)
    monkeypatch.setattr(module, "train_graphed", faster)
    honest = trial

    def timed(loop: Any, *rest: Any) -> Any:
        return replace(honest(loop, *rest), step=0.001 if loop is faster else 0.002)

    monkeypatch.setattr(module, "trial", timed)
    said: list[str] = []
    _, loop = quickest(make, DIFFUSION, batches(), CONFIG, MACHINE, said.append)
    assert loop is faster
    assert any("compiling takes about 60 s" in line and "not tried" in line for line in said)


@needs_cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_a_gpu_the_graph_gives_the_losses_of_the_plain_path(precision: Any) -> None:
    config = replace(CONFIG, steps=40, every=1, warmup=0.0)
    machine = replace(MACHINE, precision=precision)
    plain = [p.loss for p in train(make("cuda"), DIFFUSION, batches("cuda"), config, machine=machine)]
    ours = [p.loss for p in train_graphed(make("cuda"), DIFFUSION, batches("cuda"), config, machine=machine)]
    assert ours[:20] == pytest.approx(plain[:20], rel=TOLERANCE)


@needs_cuda
def test_on_a_gpu_a_run_goes_on_from_its_state() -> None:
    config = replace(CONFIG, steps=30, every=5)
    straight = [p.loss for p in train_graphed(make("cuda"), DIFFUSION, batches("cuda"), config)]
    *_, half = islice(train_graphed(make("cuda"), DIFFUSION, batches("cuda"), config), 3)
    rest = train_graphed(half.state.model, DIFFUSION, batches("cuda"), config, half.state)
    assert [p.loss for p in rest] == pytest.approx(straight[3:], rel=TOLERANCE)
