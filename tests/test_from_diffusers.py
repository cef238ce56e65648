"""A folder that diffusers saved, as a network of ours: the same numbers, or one sentence that says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

import ddpm_lib
from ddpm_lib.__main__ import main
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.formats import FormatError
from ddpm_lib.formats.pipeline_folder import write_pipeline
from ddpm_lib.formats.pipeline_reading import read_pipeline
from ddpm_lib.models import UNet, UNetConfig
from ddpm_lib.models.trained import About, Trained
from ddpm_lib.sampling import sample_from
from ddpm_lib.schedule import cosine_schedule
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


AGAINST = {
    "padding": ({"downsample_padding": 0}, "its downsample_padding is 0, ours 1"),
    "frequencies": ({"freq_shift": 1}, "its freq_shift is 1, ours 0"),
    "epsilon": ({"norm_eps": 1e-6}, "its norm_eps is 1e-06, ours 1e-05"),
    "classes": ({"num_class_embeds": 3}, "its num_class_embeds is 3, ours None"),
    "variances": ({"out_channels": 6}, "its out_channels is 6, ours 3"),
    "activation": ({"act_fn": "gelu"}, "its act_fn is 'gelu', ours 'silu'"),
    "levels": ({"down_block_types": ("DownBlock2D", "ResnetDownsampleBlock2D")}, "its down_block_types is"),
    "no norm": ({"resnet_time_scale_shift": "scale_shift"}, "the attention in its middle has no norm"),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "said"), AGAINST.values(), ids=AGAINST)
def test_what_ours_cannot_be_is_named(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    folder = saved(tmp_path / "theirs", **settings)
    with pytest.raises(FormatError) as caught:
        read_pipeline(folder)
    assert said in str(caught.value)
    assert "go on with it in diffusers" in str(caught.value)


BROKEN = {
    "block_out_channels": [[], [0, 0], "32", None, [32, 10**9], [10**9, 10**9], [True, 64], [32], [32, 80]],
    "down_block_types": [[], None, 3, ["DownBlock2D"], ["x", {}]],
    "sample_size": [None, 0, -8, "16", [16], [16, 16, 16], 10**9],
    "in_channels": [0, -1, "3", None, 10**9],
    "layers_per_block": [0, -1, 10**9, "1", None],
    "attention_head_dim": [0.5, -8, "8", 10**9],
    "norm_num_groups": [0, -1, "32", None, 7],
}


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("theirs") / "p")


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BROKEN.items() for value in values]
)
def test_a_configuration_that_cannot_be_is_one_sentence(
    tutorial: Path, tmp_path: Path, name: str, value: Any
) -> None:
    (tmp_path / "p").mkdir()
    for part in tutorial.iterdir():
        (tmp_path / "p" / part.name).symlink_to(part)
    (tmp_path / "p" / "unet").unlink()
    (tmp_path / "p" / "unet").mkdir()
    weights = "diffusion_pytorch_model.safetensors"
    (tmp_path / "p" / "unet" / weights).symlink_to(tutorial / "unet" / weights)
    config = json.loads((tutorial / "unet" / "config.json").read_text())
    (tmp_path / "p" / "unet" / "config.json").write_text(json.dumps(config | {name: value}))
    with pytest.raises(FormatError):
        read_pipeline(tmp_path / "p")


def test_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = saved(tmp_path / "butterflies")
    assert main(["import", "butterflies", "--dry-run"]) == 0
    assert not Path("butterflies.safetensors").exists()
    assert main(["import", "butterflies"]) == 0
    assert "differs from what it does in diffusers" in capsys.readouterr().out
    close_to_theirs(folder, ddpm_lib.load("butterflies.safetensors"), 50)
    assert (
        main(["sample", "butterflies.safetensors", "--count", "1", "--steps", "2", "--grid", "one.png"]) == 0
    )
    before = Path("butterflies.safetensors").read_bytes()
    for line, said in (
        (["butterflies"], "exists already"),
        (["nowhere"], "nowhere is no folder"),
        (["butterflies/unet", "--out", "b.safetensors"], "model_index.json is no table in JSON"),
    ):
        assert main(["import", *line]) == 2
        assert said in capsys.readouterr().err
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert main(["import", "butterflies", "--out", "c.safetensors"]) == 2
    assert "safetensors files are missing" in capsys.readouterr().err
    assert Path("butterflies.safetensors").read_bytes() == before
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".png", ".safetensors"]


def test_without_diffusers_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(FormatError, match="pip install diffusers"):
        read_pipeline(tmp_path)
    assert diffusers.__version__
