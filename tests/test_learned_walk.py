"""The network in the page and in Python: its answers, its walks, its oracle and what training reaches."""

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
from ddpm_lib.models import GaussianMixture, OracleDenoiser
from ddpm_lib.sampling import ddim_step, ddpm_step, timesteps
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from ddpm_lib.web.learned import from_learned, to_learned
from tests.helpers import close, generator
from tests.learning import READY, T, in_page, mlp, ready


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
  return leastLoss(learner);"""


@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_the_least_loss_is_that_of_the_oracle(page: Page, predicts: str) -> None:
    """The oracle's own loss in torch, on draws of its own, within four of its standard errors and a percent."""
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
    mean, error = float(each.mean()), float(each.std()) / n**0.5
    assert abs(found - mean) < 4 * error + 0.01 * mean


def test_training_in_the_page_learns_what_torch_would(page: Page) -> None:
    """Two points: after 400 steps the averaged network draws both, and nothing between them."""
    body = """
      const recipe = { schedule: "cosine", T: 50, predicts: "x0", width: 16, lr: 5e-3, seed: 0 };
      const learner = new Learner(recipe, Float32Array.from([-1, 0, 1, 0]));
      const losses = Array.from({ length: 400 }, () => learner.step());
      const w = walk("ddim", learner.alphaBar, (x, t) => learner.clean(x, t), { n: 100, steps: 25, seed: 0 });
      return [losses, [...w.frames.at(-1)], leastLoss(learner)];"""
    losses, drawn, least = in_page(page, body)
    assert 0.9 * least < sum(losses[-50:]) / 50 < 1.15 * least < 0.7 * losses[0]
    x = torch.tensor(drawn).reshape(100, 2)
    right = x[:, 0] > 0
    assert 30 <= int(right.sum()) <= 70
    assert (x - torch.where(right, 1.0, -1.0)[:, None] * torch.tensor([1.0, 0.0])).abs().mean() < 0.15
