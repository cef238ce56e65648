"""Networks as diffusers saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from ddpm_lib.models.trained import Trained
from tests.helpers import close

# What diffusers' own tutorial trains, smaller: attention at the last level, heads of eight features, 32 groups.
TUTORIAL: dict[str, Any] = {
    "sample_size": 16,
    "layers_per_block": 1,
    "block_out_channels": (32, 64),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
LINEAR = {"num_train_timesteps": 50, "beta_schedule": "linear"}


def saved(folder: Path, scheduler: Any = None, **settings: Any) -> Path:
    """A pipeline of theirs, with weights as they come, on the disk."""
    torch.manual_seed(0)
    unet = UNet2DModel(**TUTORIAL | settings).eval()
    DDPMPipeline(unet=unet, scheduler=scheduler or DDPMScheduler(**LINEAR)).save_pretrained(folder)
    return folder


def close_to_theirs(folder: Path, trained: Trained, T: int) -> None:
    theirs, ours = UNet2DModel.from_pretrained(folder / "unet"), trained.network()
    xt = torch.randn(2, *trained.about.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for t in range(1, T + 1, 7):
            close(ours(xt, torch.full((2,), t)), theirs(xt, t - 1).sample, 1e-4)


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("theirs") / "p")
