"""The two formats for other libraries: what onnxruntime and diffusers compute is what torch and ddpm_lib compute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import diffusers
import onnx
import onnxruntime
import pytest
import torch
from diffusers.pipelines.ddim import pipeline_ddim
from diffusers.pipelines.ddpm import pipeline_ddpm
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm
from safetensors.torch import load_file
from torch import nn

from ddpm_lib import load
from ddpm_lib.__main__ import main
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels
from ddpm_lib.formats import FormatError, onnx_file
from ddpm_lib.formats.onnx_file import write_onnx
from ddpm_lib.formats.pipeline_folder import write_pipeline
from ddpm_lib.formats.pipeline_unet import PipelineUNet
from ddpm_lib.formats.unet2d import one_later, why_not
from ddpm_lib.models import MLPConfig, ResNetConfig, UNetConfig, build
from ddpm_lib.models.blocks import time_embedding
from ddpm_lib.models.trained import About
from ddpm_lib.sampling import DDIM, Noise, ddim_step, ddpm_step, sample
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule, linear_schedule
from ddpm_lib.train import TrainConfig, start
from ddpm_lib.train.checkpoint import save_checkpoint
from ddpm_lib.train.presets import PRESETS
from tests.helpers import close, unchecked

ROOT = Path(__file__).parent.parent

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


# -- ONNX ------------------------------------------------------------------------------------------------------


class OnnxDenoiser:
    """A Denoiser that knows nothing but the file."""

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        held = self.session.get_modelmeta().custom_metadata_map
        self.metadata = {name: json.loads(text) for name, text in held.items()}
        self.predicts = self.metadata["predicts"]

    def __call__(self, xt, t, y=None):
        inputs = {"xt": xt, "t": t} | ({} if y is None else {"y": y})
        (output,) = self.session.run(None, {name: x.numpy() for name, x in inputs.items()})
        return torch.from_numpy(output)

    def diffusion(self):
        alpha_bar = torch.tensor(self.metadata["alpha_bar"], dtype=torch.float64)
        beta = 1 - alpha_bar[1:] / alpha_bar[:-1]
        return GaussianDiffusion(NoiseSchedule(torch.cat([beta.new_zeros(1), beta])))


ONNX_NETWORKS = {
    "plain": (PLAIN, (1, 8, 8)),
    "every option": (OWN, (3, 8, 12)),
    "classic": (UNetConfig(base=8, blocks=2), (1, 12, 12)),
    "attention everywhere": (replace(PLAIN, attention=(0, 1), heads=1, predicts="x0"), (1, 8, 8)),
    "resnet": (ResNetConfig(), (1, 9, 7)),
    "wide resnet": (ResNetConfig(channels=3, width=16, dilate=True, time=True), (3, 9, 7)),
}


@pytest.mark.parametrize("name", ONNX_NETWORKS)
def test_onnxruntime_computes_what_torch_computes(name, tmp_path):
    config, shape = ONNX_NETWORKS[name]
    checkpoint, path = checkpoint_of(tmp_path, config, shape), tmp_path / "model.onnx"
    assert write_onnx(path, checkpoint) < 1e-5
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.onnx", "run"]

    # Not only what the export checked itself: another batch, another size, other times.
    denoiser, network = OnnxDenoiser(path), checkpoint.network()
    c, h, w = shape
    labels = (torch.tensor([0, 3, 1, 2, 0]),) if "classes" in denoiser.metadata else ()
    inputs = (
        torch.randn(5, c, h, w + denoiser.metadata["multiple"]),
        torch.tensor([1, 3, 30, 99, 100]),
        *labels,
    )
    expected = network(*inputs)
    assert float(expected.std()) > 0.01  # the network is no constant
    close(denoiser(*inputs), expected, 1e-5)


def test_the_metadata_hold_what_sampling_needs(tmp_path):
    checkpoint, path = checkpoint_of(tmp_path, OWN, (3, 8, 12), cosine_schedule(40)), tmp_path / "model.onnx"
    write_onnx(path, checkpoint)
    metadata = OnnxDenoiser(path).metadata
    assert metadata.pop("alpha_bar") == checkpoint.schedule.alpha_bar.tolist()  # to the last digit
    assert metadata == {
        "format": "ddpm_lib/1", "T": 40, "schedule": "cosine", "predicts": "v", "shape": [3, 8, 12],
        "multiple": 4, "data": "noise", "classes": ["a", "b", "c"], "no_class": 3,
    }  # fmt: skip
    model = onnx.load(path)
    assert "alpha_bar" in model.doc_string
    assert [opset.version for opset in model.opset_import] == [onnx_file.OPSET]
    named = {value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in
             [*model.graph.input, *model.graph.output]}  # fmt: skip
    image = ["batch", 3, "height", "width"]
    assert named == {"xt": image, "t": ["batch"], "y": ["batch"], "output": image}


def ddim_from_the_file_alone(denoiser, xt, y, steps):
    """What doc_string says in words: no function of ddpm_lib."""
    alpha_bar, T = denoiser.metadata["alpha_bar"], denoiser.metadata["T"]
    path = [round(T * i / steps) for i in range(steps, -1, -1)]
    for t, s in pairwise(path):
        a, b = alpha_bar[t] ** 0.5, (1 - alpha_bar[t]) ** 0.5
        output = denoiser(xt, torch.full((len(xt),), t), y)
        x0 = {"x0": output, "eps": (xt - b * output) / a, "v": a * xt - b * output}[denoiser.predicts].clip(
            -1, 1
        )
        eps = (xt - a * x0) / b
        xt = alpha_bar[s] ** 0.5 * x0 + (1 - alpha_bar[s]) ** 0.5 * eps
    return xt


@pytest.mark.parametrize("name", ["cpu-minutes", "eps", "v"])
def test_ddim_from_the_onnx_file_draws_the_same_images(name, tmp_path):
    if name == "cpu-minutes":  # the network that ships: ten classes, predicts x0
        checkpoint, y = load(name), class_labels(4, 10)
    else:
        checkpoint, y = checkpoint_of(tmp_path, replace(PLAIN, predicts=name)), None
    path = tmp_path / "model.onnx"
    write_onnx(path, checkpoint)
    denoiser, shape = OnnxDenoiser(path), checkpoint.about.shape
    assert tuple(denoiser.metadata["shape"]) == shape

    options = {"seeds": range(4), "y": y, "step": ddim_step, "steps": 20}
    *_, ours = sample(checkpoint.network(), checkpoint.diffusion, shape, **options)
    *_, theirs = sample(denoiser, denoiser.diffusion(), shape, **options)
    close(theirs.xt, ours.xt, 1e-4)
    assert float(ours.xt.std()) > 0.3
    close(ddim_from_the_file_alone(denoiser, Noise(range(4), shape)(), y, 20), ours.xt, 1e-4)


def test_a_file_that_computes_something_else_is_refused_and_not_left_there(tmp_path, monkeypatch):
    checkpoint, path = checkpoint_of(tmp_path, PLAIN), tmp_path / "model.onnx"

    def spoiled(onnx, model, names):
        weight = next(w for w in model.graph.initializer if w.name == "first.weight")
        weight.CopyFrom(onnx.numpy_helper.from_array(1.01 * onnx.numpy_helper.to_array(weight), weight.name))

    monkeypatch.setattr(onnx_file, "_keep_every_input", spoiled)
    with pytest.raises(FormatError, match="nothing was written"):
        write_onnx(path, checkpoint)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


# -- diffusers -------------------------------------------------------------------------------------------------

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


def loaded(folder, cls=diffusers.DDPMPipeline):
    """The pipeline, without its progress bars."""
    diffusers.utils.logging.disable_progress_bar()
    pipeline = cls.from_pretrained(folder, low_cpu_mem_usage=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def in_float64(pipeline, schedule):
    """The same with tables multiplied up in float64, as ours are: theirs are float32."""
    pipeline.scheduler.alphas = schedule.alpha[1:]
    pipeline.scheduler.alphas_cumprod = schedule.alpha_bar[1:]
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


# -- the command line ------------------------------------------------------------------------------------------


def mistake(argv, capsys):
    """Run a command that must fail; return its one line of complaint."""
    capsys.readouterr()
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_the_command_writes_both_beside_the_checkpoint(tmp_path, capsys):
    checkpoint_of(tmp_path, OWN, (3, 8, 12))
    command = ["export", str(tmp_path / "run" / "checkpoint.safetensors")]
    for option, line in (("--onnx", "model.onnx"), ("--diffusers", "diffusers")):
        assert main([*command, option, "--dry-run"]) == 0
        assert f"out = {tmp_path / 'run' / line}" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint.safetensors"]

    assert main([*command, "--onnx"]) == 0
    assert "differ by at most" in capsys.readouterr().out
    for _ in range(2):  # again over the folder that it wrote itself
        assert main([*command, "--diffusers"]) == 0
        text = capsys.readouterr().out
        assert "folds 2 x 2 pixels" in text
        assert "import ddpm_lib.formats.pipeline_unet" in text
    assert main([command[0], str(tmp_path / "run" / "checkpoint.safetensors"), "--dry-run"]) == 0


def test_mistakes_get_one_sentence(tmp_path, capsys, monkeypatch):
    checkpoint_of(tmp_path, PLAIN)
    path = tmp_path / "run" / "checkpoint.safetensors"
    command = ["export", str(path)]
    with pytest.raises(SystemExit):
        main([*command, "--onnx", "--diffusers"])
    assert "not allowed with argument" in capsys.readouterr().err
    assert "--half is for" in mistake([*command, "--onnx", "--half"], capsys)
    assert "would be overwritten" in mistake([*command, "--onnx", "--out", str(path)], capsys)
    assert "Is a directory" in mistake([*command, "--onnx", "--out", str(tmp_path)], capsys)
    assert "is not a pipeline's folder" in mistake([*command, "--diffusers", "--out", str(tmp_path)], capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]

    for package, option in (("onnx", "--onnx"), ("diffusers", "--diffusers")):
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
        assert f"pip install {package}" in mistake([*command, option], capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
    monkeypatch.undo()

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main([*command, "--onnx"]) == 0
    assert "pip install onnxruntime" in capsys.readouterr().out


@pytest.mark.parametrize("write", [write_onnx, write_pipeline])
def test_a_network_for_points_is_refused(write, tmp_path):
    with pytest.raises(FormatError, match="is for images"):
        write(tmp_path / "out", checkpoint_of(tmp_path, MLPConfig(), (2,)))
