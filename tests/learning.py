"""The training in the page, given a network and batches of torch."""

from __future__ import annotations

import json
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import MLP, MLPConfig
from ddpm_lib.web.learned import to_learned
from ddpm_lib.web.worker_source import LEARN_CORE, without_comments
from tests.worker_page import asked

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
