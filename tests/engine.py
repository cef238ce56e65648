"""The engine's weights, runs and damages, for the tests that drive it in Chromium."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from ddpm_lib import load
from ddpm_lib.models import UNetConfig
from ddpm_lib.models.trained import Trained
from ddpm_lib.web.export import detail
from tests.helpers import generator
from tests.worker_page import random_checkpoint, request

TINY = UNetConfig(base=8, mults=(1, 2), blocks=1, groups=1, activation="silu", scale_shift=True, classes=3,
                  heads=2, predicts="x0")  # fmt: skip


@pytest.fixture(scope="module")
def tiny() -> dict[str, Any]:
    return detail(random_checkpoint(TINY))


@pytest.fixture(scope="module")
def digits() -> dict[str, Any]:
    return detail(load("cpu-minutes"))


def recorded(checkpoint: Trained, seed: int = 0, **run: Any) -> dict[str, Any]:
    """A run with its start and its noise, which page and torch share."""
    run = request(**run)
    shape = (run["n"], *checkpoint.about.shape)
    rng = generator(seed)
    x = torch.randn(shape, generator=rng)
    return {**run, "x": x, "noise": torch.randn(run["steps"], *shape, generator=rng)}


def last(states: list[dict[str, Any]], like: Tensor) -> Tensor:
    return torch.tensor(states[-1]["xt"]).reshape(like.shape)


def damaged(weights: dict[str, Any], damage: str) -> dict[str, Any]:
    weights = copy.deepcopy(weights)
    match damage:
        case "flipped":
            weights["data"] = ("B" if weights["data"][0] == "A" else "A") + weights["data"][1:]
        case "truncated":
            weights["data"] = weights["data"][:400]
        case "not base64":
            weights["data"] = weights["data"][:-5] + "?????"
        case "missing layer":
            weights["tensors"] = [e for e in weights["tensors"] if e["name"] != "last.2.bias"]
        case "unknown layer":
            weights["tensors"].append(weights["tensors"][0] | {"name": "extra.weight"})
        case "other network":
            weights["config"]["base"] = 16
        case "other format":
            weights["format"] = "ddpm_lib/web/2"
    return weights
