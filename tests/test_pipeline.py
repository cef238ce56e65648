"""The folder for diffusers: the network in it is the checkpoint's, by its bits and by its answers."""

from __future__ import annotations

from dataclasses import replace

import diffusers
import pytest
import torch
from safetensors.torch import load_file

from ddpm_lib.formats.pipeline_folder import write_pipeline
from ddpm_lib.formats.unet2d import one_later, why_not
from ddpm_lib.models import ResNetConfig, build
from ddpm_lib.models.blocks import time_embedding
from ddpm_lib.train.presets import PRESETS
from tests.exported import OWN, PLAIN, checkpoint_of, loaded
from tests.exported import quick as quick
from tests.helpers import close

THEIRS = {
    "plain": (PLAIN, (1, 8, 8)),
    "modern": (replace(PRESETS["modern-unet"].model, base=32), (1, 8, 12)),
    "attention everywhere": (
        replace(PLAIN, attention=(0, 1), heads=1, scale_shift=True, blocks=2, channels=3, predicts="v"),
        (3, 8, 8),
    ),
    "one level": (replace(PLAIN, mults=(1,), predicts="x0"), (1, 5, 5)),
}


@pytest.mark.parametrize("name", THEIRS)
def test_a_network_that_unet2dmodel_can_be_becomes_one(name, tmp_path):
    config, shape = THEIRS[name]
    checkpoint = checkpoint_of(tmp_path, config, shape)
    written = write_pipeline(tmp_path / "out", checkpoint)
    assert written.own is None
    assert written.off < 1e-5
    pipeline = loaded(tmp_path / "out")
    assert type(pipeline.unet) is diffusers.UNet2DModel
    network, xt = checkpoint.network(), torch.randn(100, *shape)
    expected = network(xt, torch.arange(1, 101))
    assert float(expected.std()) > 0.01
    close(pipeline.unet(xt, torch.arange(100)).sample, expected, 1e-5)


def test_the_weights_in_the_folder_are_the_checkpoints(tmp_path):
    # By their bits, whatever their names: the queries, keys and values apart, and the first layer of the time
    # turned back. Nothing else is there.
    checkpoint = checkpoint_of(tmp_path, THEIRS["attention everywhere"][0], (3, 8, 8))
    write_pipeline(tmp_path / "out", checkpoint)
    theirs = load_file(tmp_path / "out/unet/diffusion_pytorch_model.safetensors")
    ours = checkpoint.network().state_dict()
    turned, time = theirs.pop("time_embedding.linear_1.weight"), ours.pop("time.mlp.0.weight")
    embedding = time_embedding(torch.arange(100), 16)
    close(embedding[:-1] @ turned.T, embedding[1:] @ time.T, 1e-5)

    pieces = [p for name, x in ours.items() for p in (x.chunk(3) if ".qkv." in name else [x])]
    assert sorted(bits(x) for x in pieces) == sorted(bits(x) for x in theirs.values())


def bits(tensor):
    return tensor.contiguous().numpy().tobytes()


def test_the_own_networks_weights_are_the_checkpoints_by_name(tmp_path):
    checkpoint = checkpoint_of(tmp_path, OWN, (3, 8, 12))
    write_pipeline(tmp_path / "out", checkpoint)
    theirs = load_file(tmp_path / "out/unet/diffusion_pytorch_model.safetensors")
    ours = checkpoint.network().state_dict()
    assert set(theirs) == {f"network.{name}" for name in ours}
    assert all(torch.equal(theirs[f"network.{name}"], tensor) for name, tensor in ours.items())


def test_the_time_layer_turned_by_one_step_undoes_their_offset():
    weight = torch.randn(7, 32, dtype=torch.float64)
    t = torch.arange(1, 1001)
    expected = time_embedding(t, 32).double() @ weight.T
    close(
        time_embedding(t - 1, 32).double() @ one_later(weight, 32).T, expected, 1e-3
    )  # float32 angles up to 1000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fold": 2}, "folds 2 x 2 pixels"),
        ({"activation": "leaky_relu"}, "leaky_relu"),
        ({"classes": 10}, "without a class"),
        ({"mults": (2, 2)}, "wider than its time embedding"),
        ({"groups": 0}, "groups"),
        ({"groups": 32}, "groups"),
        ({"heads": 2, "attention": (0,)}, "heads differ"),
    ],
)
def test_what_unet2dmodel_cannot_do_is_named(change, reason):
    assert reason in why_not(build(replace(PLAIN, **change)))
    assert why_not(build(PLAIN)) is None
    assert why_not(build(ResNetConfig())) == "it is not a U-Net"
