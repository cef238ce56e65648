"""The training on images in the page, in headless Chromium: its gradients, steps, samples and file are torch's."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.loss import simple_loss, t_weights
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.models.trained import About
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.loop import lr_factor
from ddpm_lib.train.state import start
from tests.helpers import close, generator
from tests.learning_images import (
    BATCH,
    READY,
    SIDE,
    SMALL,
    STEPS,
    TRAIN,
    T,
    fresh,
    in_page,
    network,
    plain,
    ready,
)


def batches(n: int) -> list[dict[str, Tensor]]:
    rng = generator(5)
    return [
        {
            "x0": torch.rand(BATCH, 1, SIDE, SIDE, generator=rng) * 2 - 1,
            "t": torch.randint(1, T + 1, (BATCH,), generator=rng),
            "eps": torch.randn(BATCH, 1, SIDE, SIDE, generator=rng),
            "y": torch.randint(4, (BATCH,), generator=rng),
        }
        for _ in range(n)
    ]


CASES = [
    (SMALL, False),
    (SMALL, True),
    (replace(SMALL, blocks=0, groups=4), False),
    (replace(SMALL, base=16, blocks=2, groups=2), False),
]


@pytest.mark.parametrize(("config", "without"), CASES)
def test_the_gradients_are_those_of_torch(page: Page, config: UNetConfig, without: bool) -> None:
    net, diffusion = network(config), GaussianDiffusion(cosine_schedule(T))
    (batch,) = batches(1)
    loss = simple_loss(net, diffusion, **batch)
    loss.backward()
    body = READY + "return [learner.loss(batch(arg.batch)), listed(net.gradients), net.kind];"
    found, gradients, kind = in_page(page, body, ready(net, batch=plain(batch), plain=without))
    assert kind == ("javascript" if without else "wasm-simd")
    assert abs(found / loss.item() - 1) < 1e-5
    assert [name for name, _ in gradients] == [name for name, _ in net.named_parameters()]
    for (name, gradient), parameter in zip(gradients, net.parameters(), strict=True):
        assert parameter.grad is not None
        size = parameter.grad.abs().max()
        assert size > 0, name
        off = (torch.tensor(gradient) - parameter.grad.flatten()).abs().max() / size
        assert off < 1e-4, f"{name}: {off:g}"


def test_twenty_steps_are_those_of_torch(page: Page, tmp_path: Path) -> None:
    """The same batches: the losses agree, and the file that the page writes holds torch's averaged weights."""
    net, diffusion = network(), GaussianDiffusion(cosine_schedule(T))
    body = (
        READY
        + """
      const losses = arg.batches.map((b) => learner.step(batch(b)));
      return [losses, btoa(String.fromCharCode(...trainedFile(learner, 1.5)))];"""
    )
    found, file = in_page(page, body, ready(net, batches=[plain(batch) for batch in batches(STEPS)]))
    state, losses = start(net, TRAIN), []
    average = EMA(net, TRAIN.ema)
    for step, batch in enumerate(batches(STEPS)):
        net.zero_grad()
        loss = simple_loss(net, diffusion, **batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), TRAIN.clip)
        state.optimizer.param_groups[0]["lr"] = TRAIN.lr * lr_factor(step / STEPS, TRAIN)
        state.optimizer.step()
        average.update(net, step)
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert max(abs(a / b - 1) for a, b in zip(found, losses, strict=True)) < 1e-3
    path = tmp_path / "digits.safetensors"
    path.write_bytes(base64.b64decode(file))
    trained = load(path)
    assert (trained.model_config, trained.step, trained.seconds) == (SMALL, STEPS, 1.5)
    assert trained.about == About("stripes", (1, SIDE, SIDE), ("a", "b", "c"))
    assert {**asdict(TRAIN), **trained.training} == asdict(TRAIN)
    close(trained.schedule.beta, cosine_schedule(T).beta, 1e-14)  # processors round a cosine otherwise
    for ours, theirs in zip(trained.network().parameters(), average.average.parameters(), strict=True):
        close(ours, theirs, 1e-3)


def test_a_fresh_network_is_the_one_that_torch_makes(page: Page) -> None:
    torch.manual_seed(TRAIN.seed)
    made = build(SMALL)
    found = in_page(page, READY + "return [listed(net.weights), listed(net.average)];", fresh())
    for block in found:
        for (name, values), (theirs, parameter) in zip(block, made.named_parameters(), strict=True):
            assert name == theirs
            close(torch.tensor(values), parameter.detach().flatten(), 1e-6)


def test_a_batch_is_drawn_as_algorithm_1_says(page: Page) -> None:
    """Every image once an epoch, its own class unless hidden, and log-normal times."""
    body = """
      const learner = new ImageLearner({ ...arg.recipe, batch: 12 }, arg.images);
      return Array.from({ length: 500 }, () => {
        const { x0, y, t } = learner.draw();
        return [[...t], [...y], [...y].map((_, i) => [x0[64 * i], x0[64 * i + 1]])];
      });"""
    drawn = in_page(page, body, fresh())
    times, hidden = torch.tensor([t for t, _, _ in drawn]).flatten(), 0
    of = {(-1 + 2 * (i % 16) / 15, -1 + 2 * (i % 3) * 7 / 15): i % 3 for i in range(12)}
    for _, y, pixels in drawn:
        seen = {next(k for k in of if close_pair(k, pair)) for pair in pixels}
        assert len(seen) == len(of)  # an epoch is one batch here
        for label, pair in zip(y, pixels, strict=True):
            assert label in (-1, next(of[k] for k in of if close_pair(k, pair)))
            hidden += label == -1
    assert abs(hidden / 6000 - TRAIN.label_drop) < 5 * (0.09 / 6000) ** 0.5
    expected = t_weights(cosine_schedule(T), "lognormal")
    share = torch.bincount(times, minlength=T + 1) / len(times)
    assert ((share - expected).abs() <= 5 * (expected / len(times)).sqrt() + 1e-9).all()


def close_pair(a: tuple[float, float], b: list[float]) -> bool:
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) < 1e-6


def test_a_rate_rises_and_falls_as_in_python_and_a_run_may_follow_a_run(page: Page) -> None:
    body = (
        READY
        + """
      const [{ optimizer }, rates] = [learner, []];
      for (let i = 0; i < 45; i++) { learner.step(); rates.push(optimizer.lr); }
      return rates;"""
    )
    found = in_page(page, body, fresh())
    expected = [TRAIN.lr * lr_factor(i % STEPS / STEPS, TRAIN) for i in range(45)]
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < 1e-9


TEAM = """
  const served = (n) => Array.from({ length: n }, (_, i) => {
    const { port1, port2 } = new MessageChannel();
    serve(port1);
    if (i === 0 && arg.slow) {
      const post = port1.postMessage.bind(port1);
      port1.postMessage = (...rest) => setTimeout(() => post(...rest), 20);
    }
    return port2;
  });
  const learned = async () => {
    const ports = served(arg.more), losses = [];
    const step = (b) => (ports.length ? sharedStep(learner, ports, b) : learner.step(b));
    for (const b of arg.batches) losses.push(await step(batch(b)));
    return [losses, listed(net.gradients), listed(net.average)];
  };
  return learned();
"""


def test_several_workers_take_the_step_of_one(page: Page) -> None:
    """The batch of six is shared by one, two, and four; who answers first does not matter, not to the last bit."""
    arg = ready(network(), batches=[plain(batch) for batch in batches(STEPS)])
    alone, two, four, late = (
        in_page(page, READY + TEAM, {**arg, "more": more, "slow": slow})
        for more, slow in ((0, False), (1, False), (3, False), (3, True))
    )
    assert alone[0][-1] < 0.8 * alone[0][0]
    for shared in (two, four):
        assert max(abs(a / b - 1) for a, b in zip(shared[0], alone[0], strict=True)) < 1e-4
        for (name, ours), (other, theirs) in zip(shared[1] + shared[2], alone[1] + alone[2], strict=True):
            assert name == other
            largest = max(map(abs, theirs))
            assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-4 * max(largest, 1e-3), (
                name
            )
    assert late == four
