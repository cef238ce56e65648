"""diffusers' own pipelines load the folder and take our steps."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import diffusers
import pytest
import torch

from ddpm_lib import load
from ddpm_lib.formats import FormatError
from ddpm_lib.formats.pipeline_folder import write_pipeline
from ddpm_lib.formats.pipeline_unet import PipelineUNet
from ddpm_lib.models import ResNetConfig
from ddpm_lib.sampling import DDIM, Noise, ddpm_step, sample
from ddpm_lib.schedule import cosine_schedule, linear_schedule
from tests.exported import OWN, PLAIN, checkpoint_of, loaded, run
from tests.exported import quick as quick
from tests.helpers import close

ROOT = Path(__file__).parent.parent


def in_float64(pipeline, schedule):
    """The same with tables multiplied up in float64, as ours are: theirs are float32."""
    pipeline.scheduler.alphas = schedule.alpha[1:]
    pipeline.scheduler.alphas_cumprod = schedule.alpha_bar[1:]
    return pipeline


SAMPLED = {
    "unet2dmodel": (PLAIN, (1, 8, 8)),
    "unet2dmodel, v": (replace(PLAIN, predicts="v"), (1, 8, 8)),
    "resnet, x0": (ResNetConfig(width=8, time=True, predicts="x0"), (1, 8, 6)),
    "classes": (OWN, (3, 8, 12)),  # the pipeline passes no labels: "no class"
}


@pytest.mark.parametrize("steps", [100, 20])
@pytest.mark.parametrize("name", SAMPLED)
def test_their_ddpm_pipeline_takes_our_steps(name, steps, tmp_path, monkeypatch):
    config, shape = SAMPLED[name]
    checkpoint = checkpoint_of(tmp_path, config, shape)
    write_pipeline(tmp_path / "out", checkpoint)
    ours = sample(
        checkpoint.network(), checkpoint.diffusion, shape, seeds=[1, 2], step=ddpm_step, steps=steps
    )
    ours = torch.stack([state.xt for state in ours][1:])
    pipeline = in_float64(loaded(tmp_path / "out"), checkpoint.schedule)
    theirs, images = run(pipeline, Noise([1, 2], shape), monkeypatch, num_inference_steps=steps)
    close(theirs, ours, 1e-4)
    close(images, (ours[-1] / 2 + 0.5).clamp(0, 1), 1e-4)
    assert float(ours[-1].std()) > 0.05


@pytest.mark.parametrize("schedule", [linear_schedule(100), cosine_schedule(100)], ids=["linear", "cosine"])
def test_their_own_float32_tables_are_as_good(schedule, tmp_path, monkeypatch):
    checkpoint = checkpoint_of(tmp_path, PLAIN, schedule=schedule)
    write_pipeline(tmp_path / "out", checkpoint)
    *_, ours = sample(checkpoint.network(), checkpoint.diffusion, (1, 8, 8), seeds=[1, 2])
    theirs, _ = run(loaded(tmp_path / "out"), Noise([1, 2], (1, 8, 8)), monkeypatch, num_inference_steps=100)
    close(theirs[-1], ours.xt, 1e-4)


@pytest.mark.parametrize("eta", [0.0, 0.7])
@pytest.mark.parametrize("name", ["cpu-minutes", "unet2dmodel"])
def test_their_ddim_pipeline_loads_the_folder_too(name, eta, tmp_path, monkeypatch):
    config, shape = SAMPLED.get(name, (None, (1, 28, 28)))
    checkpoint = load(name) if config is None else checkpoint_of(tmp_path, config, shape)
    write_pipeline(tmp_path / "out", checkpoint)
    step = DDIM(eta)
    ours = sample(checkpoint.network(), checkpoint.diffusion, shape, seeds=[1, 2], step=step, steps=20)
    ours = torch.stack([state.xt for state in ours][1:])
    pipeline = in_float64(loaded(tmp_path / "out", diffusers.DDIMPipeline), checkpoint.schedule)
    options = {"eta": eta, "num_inference_steps": 20, "use_clipped_model_output": True}
    theirs, _ = run(pipeline, Noise([1, 2], shape), monkeypatch, **options)
    close(theirs, ours, 1e-4)


def test_the_own_network_takes_class_labels_and_their_kinds_of_time(tmp_path):
    checkpoint = checkpoint_of(tmp_path, OWN, (3, 8, 12))
    write_pipeline(tmp_path / "out", checkpoint)
    unet, network = loaded(tmp_path / "out").unet, checkpoint.network()
    assert isinstance(unet, PipelineUNet)
    xt, y, seven = torch.randn(2, 3, 8, 12), torch.tensor([2, 0]), torch.tensor([7, 7])
    assert torch.equal(unet(xt, 6, class_labels=y).sample, network(xt, seven, y))
    assert torch.equal(unet(xt, torch.tensor(6)).sample, network(xt, seven))
    (tuple_of_one,) = unet(xt, torch.tensor([6, 6]), return_dict=False)
    assert torch.equal(
        tuple_of_one, network(xt, seven, torch.tensor([3, 3]))
    )  # label 3 of 3 classes is "no class"
    assert not torch.equal(tuple_of_one, network(xt, seven, y))
    with pytest.raises(FormatError, match="computes in float32"):
        unet(xt.half(), 6)


def test_a_folder_works_elsewhere_as_its_own_readme_says(tmp_path):
    # In a fresh interpreter, offline: a UNet2DModel without ddpm_lib, our own network with one import of it.
    code = "import os, sys\n"
    for name, config, shape in (("theirs", PLAIN, (1, 8, 8)), ("own", OWN, (3, 8, 12))):
        write_pipeline(tmp_path / name, checkpoint_of(tmp_path, config, shape, linear_schedule(25)))
        example = (tmp_path / name / "README.md").read_text(encoding="utf-8").split("```")[1]
        code += f"os.chdir({str(tmp_path / name)!r})\n{example.removeprefix('python')}\n"
        code += f"assert [image.size for image in images] == 8 * [{shape[:0:-1]}]\n"
        code += f"assert ('ddpm_lib' in sys.modules) == {name == 'own'}\n"
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_another_network_than_ours_is_refused_and_the_folder_not_written(tmp_path, monkeypatch):
    checkpoint = checkpoint_of(tmp_path, PLAIN)
    monkeypatch.setattr(
        "ddpm_lib.formats.unet2d.one_later", lambda weight, dim: weight
    )  # forget their offset
    with pytest.raises(FormatError, match="nothing was written"):
        write_pipeline(tmp_path / "out", checkpoint)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
