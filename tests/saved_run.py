"""A run that is saved, for the tests of checkpoints."""

from __future__ import annotations

import torch

from ddpm_lib.data import Batches, ImageData
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.models.trained import About
from ddpm_lib.schedule import cosine_schedule
from ddpm_lib.train import TrainConfig, start, train
from ddpm_lib.train.checkpoint import save_checkpoint
from tests.helpers import generator

SCHEDULE = cosine_schedule(50)
TINY = UNetConfig(base=8, mults=(1, 2), blocks=1, heads=2, groups=1, activation="silu")
CONFIG = TrainConfig(steps=6, batch=4, lr=1e-3, every=1, weight_decay=0.01)
ABOUT = About("noise", (1, 8, 8), tuple("abcdefghij"))


def data():
    pixels = torch.randint(0, 256, (16, 1, 8, 8), generator=generator(0), dtype=torch.uint8)
    return ImageData(pixels, torch.arange(16) % 10, "noise")


def fresh(model_config, config):
    torch.manual_seed(0)
    return start(build(model_config), config)


def go_on(state, config, until, machine=None):
    """Train `state` up to step `until` and return the losses on the way."""
    losses = []
    if state.step < until:
        batches = Batches(data(), 4)
        for progress in train(state.model, GaussianDiffusion(SCHEDULE), batches, config, state, machine):
            losses.append(progress.loss)
            if progress.step == until:
                break
    return losses


def saved(tmp_path, model_config=TINY, config=CONFIG, steps=2, machine=None):
    """A state after some steps, and its file."""
    state, path = fresh(model_config, config), tmp_path / "run" / "checkpoint.safetensors"
    go_on(state, config, steps, machine)
    save_checkpoint(path, state, SCHEDULE, config, ABOUT, machine)
    return state, path
