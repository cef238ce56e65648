"""The training on images in the page, given a network and batches of torch."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor

from ddpm_lib.models import UNet, UNetConfig, build
from ddpm_lib.train.config import TrainConfig
from ddpm_lib.web.worker_source import IMAGES_CORE, without_comments
from ddpm_lib.widgets.digits.recipe import NETWORK
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


def plain(batch: dict[str, Tensor]) -> dict[str, list[float]]:
    hidden = torch.where(batch["y"] == SMALL.classes, -1, batch["y"])
    return {name: tensor.flatten().tolist() for name, tensor in {**batch, "y": hidden}.items()}


def fresh() -> dict[str, Any]:
    return {"recipe": recipe(), "images": images(), "plain": False}
