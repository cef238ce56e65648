"""The training on images in the page, in headless Chromium: its gradients, steps, samples and file are torch's."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import generate, with_guidance
from ddpm_lib.loss import simple_loss, t_weights
from ddpm_lib.models import UNet, UNetConfig, build
from ddpm_lib.models.trained import About
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.loop import lr_factor
from ddpm_lib.train.state import start
from ddpm_lib.web.worker_source import IMAGES_CORE, without_comments
from ddpm_lib.widgets.digits.recipe import NETWORK
from tests.helpers import close, generator
from tests.worker_page import asked

T, BATCH, SIDE, STEPS = 50, 6, 8, 20
SMALL = replace(NETWORK, base=8, classes=3)
TRAIN = TrainConfig(
    steps=STEPS, batch=BATCH, lr=4e-3, betas=(0.9, 0.99), ema=0.995, draw_t="lognormal", seed=3
)

READY = """
  const { recipe, plain } = arg;
  const learner = new ImageLearner(recipe, arg.images, plain), { net } = learner;
  const batch = ({ x0, t, eps, y }) =>
    ({ x0: Float32Array.from(x0), t: Int32Array.from(t), y: Int32Array.from(y), eps: Float32Array.from(eps) });
  const listed = (block) => readTensors(net, block).map((e) => [e.name, [...e.data]]);
  if (arg.weights) {
    fillTensors(net, net.weights, (name) => Float32Array.from(arg.weights[name]));
    net.heap.f32.copyWithin(net.average, net.weights, net.weights + net.length);
  }
"""


def in_page(page: Page, body: str, arg: Any = None) -> Any:
    """What a function body returns that sees the engine's functions, and `arg`."""
    return asked(page, f"{without_comments(*IMAGES_CORE)}\n{body}", arg)


def recipe(config: UNetConfig = SMALL, train: TrainConfig = TRAIN) -> dict[str, Any]:
    shape = {name: value for name, value in asdict(config).items() if name != "dropout"}
    return {"config": shape, "schedule": "cosine", "T": T, **asdict(train)}


def images(n: int = 12) -> dict[str, Any]:
    """Stripes of a gray for each class."""
    pixels = [(i % 3) * 7 if j % 2 else i % 16 for i in range(n) for j in range(SIDE**2)]
    y = [i % 3 for i in range(n)]
    return {
        "pixels": pixels,
        "y": y,
        "levels": 16,
        "side": SIDE,
        "name": "stripes",
        "classes": ["a", "b", "c"],
    }


def network(config: UNetConfig = SMALL) -> UNet:
    """A U-Net with random weights everywhere: a fresh one puts out zeros, and norms that do nothing."""
    torch.manual_seed(1)
    net = build(config)
    assert isinstance(net, UNet)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net


def ready(net: UNet, **more: Any) -> dict[str, Any]:
    weights = {name: p.detach().flatten().tolist() for name, p in net.named_parameters()}
    return {"recipe": recipe(net.config), "images": images(), "weights": weights, "plain": False, **more}


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


def plain(batch: dict[str, Tensor]) -> dict[str, list[float]]:
    hidden = torch.where(batch["y"] == SMALL.classes, -1, batch["y"])
    return {name: tensor.flatten().tolist() for name, tensor in {**batch, "y": hidden}.items()}


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
    assert torch.equal(trained.schedule.beta, cosine_schedule(T).beta)
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


def fresh() -> dict[str, Any]:
    return {"recipe": recipe(), "images": images(), "plain": False}


@pytest.mark.parametrize("w", [0.0, 0.5])
def test_what_the_page_draws_is_what_python_draws(page: Page, tmp_path: Path, w: float) -> None:
    """From the same file and seeds; a page that opens the file again has the same network."""
    body = (
        READY
        + """
      const file = trainedFile(learner, 0), drawn = learner.generate([0, 1, 2], arg.how);
      const other = new ImageLearner(recipe, arg.images);
      openTrained(other, file);
      return [btoa(String.fromCharCode(...file)), [...drawn], [...other.generate([0, 1, 2], arg.how)]];"""
    )
    file, drawn, again = in_page(page, body, ready(network(), how={"seed": 4, "steps": 7, "w": w}))
    path = tmp_path / "digits.safetensors"
    path.write_bytes(base64.b64decode(file))
    trained = load(path)
    denoiser = with_guidance(trained.network(), w)
    (x,) = generate(denoiser, trained.diffusion, (1, SIDE, SIDE), [4, 5, 6], y=torch.arange(3), steps=7)
    assert x.std() > 0.1
    close(torch.tensor(drawn).reshape(x.shape), x, 1e-3)
    assert drawn == again


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


@pytest.mark.parametrize(
    "changed",
    [{"mults": (1, 2)}, {"heads": 2}, {"activation": "leaky_relu"}, {"fold": 1}, {"predicts": "eps"}],
)
def test_a_network_that_the_page_cannot_train_is_refused(page: Page, changed: dict[str, Any]) -> None:
    arg = {**fresh(), "recipe": recipe(replace(SMALL, **changed))}
    said = in_page(
        page, "try { new ImageLearner(arg.recipe, arg.images); } catch (e) { return e.message; }", arg
    )
    assert said.endswith(("choose these.", "choose such a network."))


def test_a_page_trains_stripes_until_it_can_draw_them(page: Page) -> None:
    """Three classes, told apart by the gray of their stripes, after 150 steps."""
    body = """
      const learner = new ImageLearner({ ...arg.recipe, steps: 150, batch: 12 }, arg.images);
      const losses = Array.from({ length: 150 }, () => learner.step());
      return [losses, [...learner.generate([0, 1, 2], { seed: 0, steps: 10, w: 0 })]];"""
    losses, drawn = in_page(page, body, fresh())
    assert sum(losses[-20:]) / 20 < losses[0] / 4
    stripes = torch.tensor(drawn).reshape(3, SIDE, SIDE)[:, :, 1::2].mean((1, 2))
    close(stripes, torch.tensor([-1.0, -1 + 14 / 15, -1 + 28 / 15]), 0.25)


BROKEN = {
    "no file at all": "new Uint8Array(3)",
    "no header": "new Uint8Array(100)",
    "another format": "safetensors({ format: 'pt' }, [])",
    "another network": "trainedFile({ ...learner, steps: 0, recipe: { ...recipe, config: {} } }, 0)",
    "too short": "trainedFile(learner, 0).slice(0, -4)",
    "not finite": "(net.heap.f32.fill(NaN, net.average, net.average + net.length), trainedFile(learner, 0))",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_holds_no_such_network_is_refused_in_a_sentence(page: Page, how: str) -> None:
    body = READY + f"try {{ openTrained(learner, {BROKEN[how]}); }} catch (e) {{ return e.message; }}"
    assert in_page(page, body, ready(network())).endswith("choose a file that this page saved.")


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
