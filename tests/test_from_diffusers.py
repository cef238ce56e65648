"""A folder that diffusers saved, as a network of ours: the same numbers, or one sentence that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel

from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.formats.pipeline_folder import write_pipeline
from ddpm_lib.formats.pipeline_reading import read_pipeline
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.sampling import sample_from
from ddpm_lib.schedule import cosine_schedule
from tests.helpers import close
from tests.theirs import close_to_theirs, saved
from tests.theirs import tutorial as tutorial


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sample_size": 64, "layers_per_block": 2, "block_out_channels": (32, 32, 64, 64, 128, 128),
         "down_block_types": (*["DownBlock2D"] * 4, "AttnDownBlock2D", "DownBlock2D"),
         "up_block_types": ("UpBlock2D", "AttnUpBlock2D", *["UpBlock2D"] * 4)},
        {"in_channels": 1, "out_channels": 1, "sample_size": [8, 16]},
        {"attention_head_dim": None, "down_block_types": ("AttnDownBlock2D", "AttnDownBlock2D"),
         "up_block_types": ("AttnUpBlock2D", "AttnUpBlock2D"), "layers_per_block": 2},
        {"resnet_time_scale_shift": "scale_shift", "attn_norm_num_groups": 32},
        {"norm_num_groups": 8, "block_out_channels": (8, 16), "dropout": 0.1},
    ],
    ids=["tutorial", "the documentation's, a quarter as wide", "gray", "one head", "scale and shift", "few groups"],
)  # fmt: skip
def test_what_they_trained_computes_the_same_with_us(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = saved(tmp_path / "butterflies", **settings)
    trained, off = read_pipeline(folder)
    assert off < 1e-4
    assert trained.schedule.T == 50
    assert trained.about.data == "butterflies"
    close_to_theirs(folder, trained, 50)
    alphas = DDPMScheduler.from_pretrained(folder / "scheduler").alphas_cumprod
    close(trained.schedule.alpha_bar[1:].float(), alphas, 1e-5)


def test_their_sampler_and_ours_draw_the_same_image(tmp_path: Path) -> None:
    kept = {
        "num_train_timesteps": 50,
        "beta_schedule": "squaredcos_cap_v2",
        "prediction_type": "v_prediction",
    }
    folder = saved(tmp_path / "p", DDIMScheduler(**kept))
    trained, _ = read_pipeline(folder)
    assert trained.model_config.predicts == "v"
    scheduler = DDIMScheduler.from_pretrained(folder / "scheduler", timestep_spacing="trailing")
    unet = UNet2DModel.from_pretrained(folder / "unet")
    noise = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    scheduler.set_timesteps(10)
    x = noise
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(unet(x, t).sample, t, x, use_clipped_model_output=True).prev_sample
    *_, last = sample_from(trained.network(), GaussianDiffusion(trained.schedule), noise, steps=10)
    close(last.xt, x, 1e-3)


def test_ours_goes_there_and_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = UNetConfig(
        channels=3, base=16, mults=(1, 2), blocks=1, heads=2, groups=8, activation="silu", predicts="x0"
    )
    network = UNet(config)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.1)
    schedule = cosine_schedule(20)
    tensors = {f"ema.{name}": t for name, t in network.state_dict().items()}
    trained = Trained(
        config, schedule, About("photos", (3, 8, 8)), tensors | {"schedule.beta": schedule.beta}
    )
    write_pipeline(tmp_path / "there", trained)
    back, _ = read_pipeline(tmp_path / "there")
    assert back.model_config == config
    close(back.schedule.beta, schedule.beta, 1e-6)
    for name, tensor in trained.part("ema.").items():
        close(back.part("ema.")[name], tensor, 1e-5)
