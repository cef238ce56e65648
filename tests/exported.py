"""Checkpoints of random networks, and the pipelines that are loaded from them, for the tests of the exports."""

from __future__ import annotations

import diffusers
import pytest
import torch
from diffusers.pipelines.ddim import pipeline_ddim
from diffusers.pipelines.ddpm import pipeline_ddpm
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm
from torch import nn

from ddpm_lib import load
from ddpm_lib.models import UNetConfig, build
from ddpm_lib.models.trained import About
from ddpm_lib.schedule import linear_schedule
from ddpm_lib.train import TrainConfig, start
from ddpm_lib.train.checkpoint import save_checkpoint
from tests.helpers import unchecked

# A U-Net that UNet2DModel can be, and one with every option that it cannot.
PLAIN = UNetConfig(base=16, mults=(1, 2), blocks=1, groups=8, activation="silu")
OWN = UNetConfig(
    channels=3, base=16, mults=(1, 2), blocks=1, attention=(1,), groups=1, scale_shift=True,
    dropout=0.1, fold=2, classes=3, predicts="v",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick():
    """Long loops are slow under the shape checks of conftest.py, and a tracer's shapes are no numbers."""
    with unchecked():
        yield


def checkpoint_of(folder, config, shape=(1, 8, 8), schedule=None):
    """A checkpoint whose network is random throughout: no layer is left at zero."""
    torch.manual_seed(0)
    network = build(config)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not bool(module.weight.any()):
            nn.init.normal_(module.weight, std=0.05)
        if isinstance(module, nn.GroupNorm):
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, std=0.1)
    path = folder / "run" / "checkpoint.safetensors"
    about = About("noise", shape, tuple("abc"[: getattr(config, "classes", 0)]))
    save_checkpoint(
        path, start(network, TrainConfig()), schedule or linear_schedule(100), TrainConfig(), about
    )
    return load(path)


def loaded(folder, cls=diffusers.DDPMPipeline):
    """The pipeline, without its progress bars."""
    diffusers.utils.logging.disable_progress_bar()
    pipeline = cls.from_pretrained(folder, low_cpu_mem_usage=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def run(pipeline, noise, monkeypatch, **options):
    """(states after each step, finished images) of their pipeline, which draws from `noise`."""
    for module in (pipeline_ddpm, pipeline_ddim, scheduling_ddpm, scheduling_ddim):
        monkeypatch.setattr(module, "randn_tensor", lambda *args, **kwargs: noise())
    states, step = [], pipeline.scheduler.step

    def recorded(*args, **kwargs):
        result = step(*args, **kwargs)
        states.append(result.prev_sample)
        return result

    pipeline.scheduler.step = recorded
    images = pipeline(batch_size=2, output_type="pt", **options).images
    return torch.stack(states), images
