"""The ONNX file: what onnxruntime computes from it is what torch computes."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import onnx
import onnxruntime
import pytest
import torch

from ddpm_lib import load
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.evaluate.generate import class_labels
from ddpm_lib.formats import FormatError, onnx_file
from ddpm_lib.formats.onnx_file import write_onnx
from ddpm_lib.models import ResNetConfig, UNetConfig
from ddpm_lib.sampling import Noise, ddim_step, sample
from ddpm_lib.schedule import NoiseSchedule, cosine_schedule
from tests.exported import OWN, PLAIN, checkpoint_of
from tests.exported import quick as quick
from tests.helpers import close


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
