"""The training in the page, in headless Chromium: its gradients, its steps, its samplers and its oracle are torch's."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.flow import heun_step
from ddpm_lib.loss import simple_loss
from ddpm_lib.models import MLP, GaussianMixture, MLPConfig, OracleDenoiser
from ddpm_lib.models.storage import CheckpointError
from ddpm_lib.sampling import ddim_step, ddpm_step, timesteps
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.train.ema import EMA
from ddpm_lib.train.state import start
from ddpm_lib.web.learned import from_learned, to_learned
from ddpm_lib.web.worker_source import LEARN_CORE, learn_source, without_comments
from tests.helpers import close, generator, unchecked
from tests.worker_page import Engine, asked

T, BATCH = 100, 64


def in_page(page: Page, body: str, arg: Any = None) -> Any:
    """What a function body returns that sees the engine's functions, and `arg`."""
    return asked(page, f"{without_comments(*LEARN_CORE)}\n{body}", arg)


def mlp(width: int = 16, predicts: str = "eps", layers: int = 3) -> MLP:
    """An MLP with random weights everywhere: a fresh one puts out zeros."""
    torch.manual_seed(0)
    network = MLP(MLPConfig(width=width, layers=layers, predicts=predicts))  # type: ignore[arg-type]
    network.net[-1].reset_parameters()  # type: ignore[operator]
    return network


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


def plain(batch: dict[str, Tensor]) -> dict[str, list[float]]:
    return {name: tensor.flatten().tolist() for name, tensor in batch.items()}


READY = """
  const { learned, lr, plain } = arg;
  const recipe = { ...learned.config, schedule: "linear", T: 100, lr, seed: 0, batch: 64,
                   beta: new Float64Array(unpacked(learned.schedule.beta)) };
  const learner = new Learner(recipe, new Float32Array(2), plain);
  loadLearned(learner.net, learned);
  const batch = ({ x0, t, eps }) =>
    ({ x0: Float32Array.from(x0), t: Int32Array.from(t), eps: Float32Array.from(eps) });
  const listed = (block) => tensorsOf(learner.net, block).map((e) => [e.name, [...e.data]]);
"""


def ready(network: MLP, diffusion: GaussianDiffusion, **more: Any) -> dict[str, Any]:
    return {"learned": json.loads(to_learned(network, diffusion)), "lr": 2e-3, "plain": False, **more}


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


def test_the_network_of_python_gives_the_same_answers_in_the_page_and_comes_back_unchanged(
    page: Page,
) -> None:
    network, schedule = mlp(32, "v"), linear_schedule(500)
    x, t = torch.randn(100, 2, generator=generator(1)), torch.arange(1, 501, 5)
    body = (
        READY + "return [[...learner.net.forward(learner.net.average, Float32Array.from(arg.x), "
        "Int32Array.from(arg.t))], learnedOf(learner.net, learner.schedule, 0, 0)];"
    )
    arg = ready(network, GaussianDiffusion(schedule), x=x.flatten().tolist(), t=t.tolist())
    outputs, learned = in_page(page, body, arg)
    with torch.inference_mode():
        expected = network(x, t)
    assert expected.std() > 0.05
    close(torch.tensor(outputs).reshape(100, 2), expected, 1e-5)
    back = from_learned(json.dumps(learned))
    with torch.inference_mode():
        assert torch.equal(back.network()(x, t), expected)
    assert torch.equal(back.schedule.beta, schedule.beta)
    assert json.loads(to_learned(back))["tensors"] == learned["tensors"]


WALKS = {"ddpm": ddpm_step, "ddim": ddim_step, "heun": heun_step}


@pytest.mark.parametrize("kind", WALKS)
@pytest.mark.parametrize("steps", [7, 100])
def test_a_walk_is_that_of_the_library(page: Page, kind: str, steps: int) -> None:
    network, diffusion = mlp(16, "x0"), GaussianDiffusion(linear_schedule(T))
    body = READY + "return walk(arg.kind, learner.alphaBar, (x, t) => learner.clean(x, t), arg.options);"
    options = {"n": 30, "steps": steps, "seed": 3}
    arg = ready(network, diffusion, kind=kind, options=options)
    found = in_page(
        page, body.replace("return walk", "const w = walk") + "return [w.ts, [...w.frames.at(-1)]];", arg
    )
    rng = generator(3)
    x = torch.randn(60, generator=rng).reshape(30, 2)
    path = timesteps(T, steps)
    assert found[0] == path
    with torch.inference_mode():
        for t, s in pairwise(path):
            z = torch.randn(60, generator=rng).reshape(30, 2) if kind == "ddpm" else torch.zeros(30, 2)

            def denoise(x: Tensor, t: Any) -> tuple[Tensor, Tensor]:
                return diffusion.denoise(network, x, t, clip=False)

            x = WALKS[kind](diffusion, x, t, s, *denoise(x, t), z, denoise)
    assert x.std() > 0.05
    close(torch.tensor(found[1]).reshape(30, 2), x, 1e-3)


def test_the_oracle_is_that_of_the_library(page: Page) -> None:
    schedule = cosine_schedule(T)
    points, x = torch.randn(40, 2, generator=generator(0)), torch.randn(50, 2, generator=generator(1))
    body = "return [...exactClean(Float32Array.from(arg.points), arg.ab, Float32Array.from(arg.x))];"
    # Its Gaussians are as narrow as points.
    mixture = GaussianMixture(
        points.double(), torch.full((40,), 1e-6).double(), torch.full((40,), 1 / 40).double()
    )
    oracle, diffusion = OracleDenoiser(mixture, schedule.alpha_bar), GaussianDiffusion(schedule)
    for t in (5, 40, 95):
        arg = {
            "points": points.flatten().tolist(),
            "x": x.flatten().tolist(),
            "ab": float(schedule.alpha_bar[t]),
        }
        expected, _ = diffusion.denoise(oracle, x.double(), t, clip=False)
        close(torch.tensor(in_page(page, body, arg)).reshape(50, 2), expected.float(), 1e-4)


LEAST = """
  const recipe = { schedule: "linear", T: 100, predicts: arg.predicts, width: 8, lr: 1e-3, seed: 0 };
  const learner = new Learner(recipe, Float32Array.from(arg.points));
  return leastLoss(learner, new Normal(1), 3000);"""


@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_the_least_loss_is_that_of_the_oracle(page: Page, predicts: str) -> None:
    """The oracle's own loss in torch, on other draws, within five standard errors."""
    points, schedule = torch.randn(20, 2, generator=generator(0)), linear_schedule(T)
    found = in_page(page, LEAST, {"points": points.flatten().tolist(), "predicts": predicts})
    mixture = GaussianMixture(
        points.double(), torch.full((20,), 1e-6).double(), torch.full((20,), 1 / 20).double()
    )
    oracle, diffusion, rng = (
        OracleDenoiser(mixture, schedule.alpha_bar),
        GaussianDiffusion(schedule),
        generator(2),
    )
    n = 20_000
    x0 = points[torch.randint(20, (n,), generator=rng)].double()
    t, eps = torch.randint(1, T + 1, (n,), generator=rng), torch.randn(n, 2, generator=rng).double()
    xt = diffusion.q_sample(x0, t, eps)
    x0_hat, eps_hat = diffusion.interpret(oracle(xt, t), xt, t, "eps")
    off = diffusion.target(x0_hat, t, eps_hat, predicts) - diffusion.target(x0, t, eps, predicts)  # type: ignore[arg-type]
    each = off.square().mean(1)
    assert abs(found - float(each.mean())) < 5 * float(each.std()) / 3000**0.5


def test_training_in_the_page_learns_what_torch_would(page: Page) -> None:
    """Two points: after 400 steps the averaged network draws both, and nothing between them."""
    body = """
      const recipe = { schedule: "cosine", T: 50, predicts: "x0", width: 16, lr: 5e-3, seed: 0 };
      const learner = new Learner(recipe, Float32Array.from([-1, 0, 1, 0]));
      const losses = Array.from({ length: 400 }, () => learner.step());
      const w = walk("ddim", learner.alphaBar, (x, t) => learner.clean(x, t), { n: 100, steps: 25, seed: 0 });
      return [losses, [...w.frames.at(-1)], leastLoss(learner, new Normal(1), 5000)];"""
    losses, drawn, least = in_page(page, body)
    assert 0.9 * least < sum(losses[-50:]) / 50 < 1.15 * least < 0.7 * losses[0]
    x = torch.tensor(drawn).reshape(100, 2)
    right = x[:, 0] > 0
    assert 30 <= int(right.sum()) <= 70
    assert (x - torch.where(right, 1.0, -1.0)[:, None] * torch.tensor([1.0, 0.0])).abs().mean() < 0.15


# -- the worker ----------------------------------------------------------------------------------------------------

RECIPE = {"schedule": "cosine", "T": 50, "predicts": "eps", "width": 8, "lr": 2e-3, "seed": 0}


@pytest.fixture
def worker(page: Page) -> Engine:
    return Engine(page, learn_source())


def begin(worker: Engine, **recipe: Any) -> dict[str, Any]:
    worker.page.evaluate(
        """([recipe, points]) =>
        engine.postMessage({ type: "start", id: 1, recipe, points: Float32Array.from(points) })""",
        [{**RECIPE, **recipe}, [-1.0, 0.0, 1.0, 0.0]],
    )
    return worker.heard("state", "error", "crash")[-1]


def test_the_worker_trains_pauses_steps_and_saves(worker: Engine) -> None:
    first = begin(worker)
    assert (first["type"], first["steps"], first["losses"]) == ("state", 0, [])
    worker.send("step")
    after = worker.heard("state")[-1]
    assert (after["steps"], len(after["losses"])) == (1, 1)
    worker.send("pace", ms=20)
    worker.send("train")
    worker.page.wait_for_function("() => heard.filter((m) => m.type === 'state').length >= 3")
    worker.send("pause")
    worker.send("save")
    heard = worker.heard("saved")
    states = [message for message in heard if message["type"] == "state"]
    assert 1 + sum(len(state["losses"]) for state in states) == states[-1]["steps"] > 3
    trained = from_learned(json.dumps(heard[-1]["learned"]))
    assert trained.step == states[-1]["steps"]
    close(trained.schedule.alpha_bar, cosine_schedule(50).alpha_bar, 1e-12)
    worker.send("walk", kind="heun", n=5, steps=4, seed=0)
    walked = worker.heard("walk")[-1]
    assert walked["ts"] == timesteps(50, 4)


def test_a_rate_that_is_too_high_ends_in_a_sentence(worker: Engine) -> None:
    begin(worker, lr=1e30, predicts="x0")
    worker.send("train")
    assert "choose a lower rate" in worker.heard("error")[-1]["message"]


# -- the file ------------------------------------------------------------------------------------------------------


def edited(**changes: Any) -> str:
    whole = json.loads(to_learned(mlp(8), GaussianDiffusion(linear_schedule(T))))
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "other"}',
        edited(format="ddpm_lib/mlp/2"),
        edited(config={"dim": 3}),
        edited(config={"dim": 2, "width": 65536, "layers": 3, "predicts": "eps"}),
        edited(tensors=[]),
        edited(tensors=[{"name": "net.0.0.bias", "shape": [10**12], "data": "AAAAAA=="}]),
        edited(tensors=[{"name": "net.0.0.bias", "shape": [1], "data": "AAAAAA=="}] * 2),
        edited(schedule={"name": "x", "beta": "####"}),
        edited(step=-1),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"pass ") as error:
        from_learned(text)
    assert "\n" not in str(error.value)


def test_a_network_alone_needs_its_diffusion() -> None:
    with unchecked(), pytest.raises(ValueError, match="pass its diffusion"):
        to_learned(mlp(8))


def test_infinite_weights_are_refused() -> None:
    network = mlp(8)
    network.net[-1].bias.data[0] = torch.inf  # type: ignore[union-attr]
    text = to_learned(network, GaussianDiffusion(NoiseSchedule(linear_schedule(T).beta)))
    with pytest.raises(CheckpointError, match="not finite"):
        from_learned(text)
