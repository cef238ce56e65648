"""Short runs on a few digits, for the tests of the training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ddpm_lib.data import Batches, ImageData, mnist
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import TrainConfig, train

DIFFUSION = GaussianDiffusion(cosine_schedule(100))
TINY = UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2, groups=1, activation="silu")
LABELLED = replace(TINY, classes=10, dropout=0.2)
QUICK = TrainConfig(steps=6, batch=4, lr=1e-3, every=1)


@pytest.fixture(scope="module")
def digits():
    test = mnist(train=False)
    return ImageData(test.pixels[:16, :, ::2, ::2], test.y[:16], "sixteen")  # 14 x 14, for speed


def fresh(config=TINY, seed=0):
    torch.manual_seed(seed)
    return build(config)


def run(digits, config, model_config=TINY, model=None, machine=None):
    model = fresh(model_config) if model is None else model
    return list(train(model, DIFFUSION, Batches(digits, config.batch), config, machine=machine))


def weights_of(progress):
    return torch.cat([p.detach().flatten() for p in progress.state.model.parameters()])
