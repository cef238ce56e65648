"""The training in the page, in headless Chromium: its gradients, its steps, its samplers and its oracle are torch's."""

from __future__ import annotations

import json

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import simple_loss
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.state import start
from ddpm_lib.web.learned import from_learned
from tests.helpers import close, generator
from tests.learning import BATCH, READY, T, in_page, mlp, plain, ready


def batches(n: int) -> list[dict[str, Tensor]]:
    rng = generator(5)
    return [
        {
            "x0": torch.randn(BATCH, 2, generator=rng),
            "t": torch.randint(1, T + 1, (BATCH,), generator=rng),
            "eps": torch.randn(BATCH, 2, generator=rng),
        }
        for _ in range(n)
    ]


CASES = [("eps", 16, 3, False), ("x0", 32, 2, False), ("v", 12, 1, False), ("eps", 16, 3, True)]


@pytest.mark.parametrize(("predicts", "width", "layers", "without"), CASES)
def test_the_gradients_are_those_of_torch(
    page: Page, predicts: str, width: int, layers: int, without: bool
) -> None:
    network, diffusion = mlp(width, predicts, layers), GaussianDiffusion(linear_schedule(T))
    (batch,) = batches(1)
    loss = simple_loss(network, diffusion, **batch)
    loss.backward()
    body = READY + "return [learner.loss(batch(arg.batch)), listed(learner.net.gradients), learner.net.kind];"
    found, gradients, kind = in_page(page, body, ready(network, diffusion, batch=plain(batch), plain=without))
    assert kind == ("javascript" if without else "wasm-simd")
    assert abs(found / loss.item() - 1) < 1e-5
    assert [name for name, _ in gradients] == [name for name, _ in network.named_parameters()]
    for (name, gradient), parameter in zip(gradients, network.parameters(), strict=True):
        assert parameter.grad is not None
        size = parameter.grad.abs().max()
        assert size > 0, name
        off = (torch.tensor(gradient) - parameter.grad.flatten()).abs().max() / size
        assert off < 1e-4, f"{name}: {off:g}"


@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_twenty_steps_are_those_of_torch(page: Page, predicts: str) -> None:
    network, diffusion = mlp(32, predicts), GaussianDiffusion(cosine_schedule(T))
    arg = ready(network, diffusion, lr=5e-3, batches=[plain(batch) for batch in batches(20)])
    config = TrainConfig(lr=5e-3, weight_decay=0.0)
    state, losses = start(network, config), []
    average = EMA(network, config.ema)
    for step, batch in enumerate(batches(20)):
        network.zero_grad()
        loss = simple_loss(network, diffusion, **batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        state.optimizer.step()
        average.update(network, step)
        losses.append(loss.item())
    body = (
        READY + "return [arg.batches.map((b) => learner.step(batch(b))), "
        "learnedOf(learner.net, learner.schedule, 20, 1.5)];"
    )
    found, learned = in_page(page, body, arg)
    assert losses[-1] < losses[0]
    assert max(abs(a / b - 1) for a, b in zip(found, losses, strict=True)) < 1e-3
    trained = from_learned(json.dumps(learned))
    assert (trained.step, trained.seconds) == (20, 1.5)
    for ours, theirs in zip(trained.network().parameters(), average.average.parameters(), strict=True):
        close(ours, theirs, 1e-4)


def test_a_fresh_network_is_the_one_that_torch_makes(page: Page) -> None:
    torch.manual_seed(7)
    network = MLP(MLPConfig(width=24))
    body = """
      const recipe = { schedule: "cosine", T: 50, predicts: "eps", width: 24, lr: 1e-3, seed: 7 };
      const { net } = new Learner(recipe, new Float32Array(2));
      return tensorsOf(net, net.average).map((e) => [...e.data]);"""
    for found, parameter in zip(in_page(page, body), network.parameters(), strict=True):
        close(torch.tensor(found), parameter.detach().flatten(), 1e-6)


@pytest.mark.parametrize("T", [25, 100, 500])
def test_the_schedules_are_those_of_the_library(page: Page, T: int) -> None:
    made = {
        "linear": linear_schedule(T),
        "cosine": cosine_schedule(T),
        "short": linear_schedule(T, rescale=False),
    }
    found = in_page(page, "return SCHEDULES.map((name) => [name, [...alphaBars(betas(name, arg))]]);", T)
    for name, table in found:
        close(torch.tensor(table, dtype=torch.float64), made.pop(name).alpha_bar, 1e-12)
    assert not made
