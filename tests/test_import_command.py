"""`import` on the command line, and what a network of diffusers must not be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest

import ddpm_lib
from ddpm_lib.__main__ import main
from ddpm_lib.formats import FormatError
from ddpm_lib.formats.pipeline_reading import read_pipeline
from tests.theirs import close_to_theirs, saved
from tests.theirs import tutorial as tutorial

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
