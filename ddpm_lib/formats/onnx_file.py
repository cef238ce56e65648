"""A network as one ONNX file that can be sampled from alone: the schedule stands in its metadata.

Inputs are xt (b, c, h, w), t (b,) and, where the network knows classes, y (b,); the output is called `output`.
Batch, height and width are free. The format is that of the ONNX specification (onnx.ai, "IR" and "Operators").
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ddpm_lib.formats import FormatError, need
from ddpm_lib.formats.onnx_check import disagreement
from ddpm_lib.models import NetworkConfig, UNetConfig, classes_of
from ddpm_lib.models.place import replacing
from ddpm_lib.models.trained import Trained

# The oldest opset (2021) that the exporter knows the attention kernel for: the oldest reaches the most runtimes.
OPSET = 14

HOW_TO_SAMPLE = """\
A denoiser of ddpm_lib. The metadata hold JSON: alpha_bar[t] for t = 0 (the clean image) ... T, predicts, shape (c, h, w).
Start from xt ~ N(0, I) at t = T. output = network(xt, t) or, with classes, network(xt, t, y); y = no_class is no class.
x0 is output where the network predicts x0; (xt - sqrt(1 - alpha_bar[t]) output) / sqrt(alpha_bar[t]) where it predicts eps;
sqrt(alpha_bar[t]) xt - sqrt(1 - alpha_bar[t]) output where it predicts v. Clip x0 to [-1, 1].
eps = (xt - sqrt(alpha_bar[t]) x0) / sqrt(1 - alpha_bar[t]).
DDIM goes from t to any s < t, and ends at s = 0: xs = sqrt(alpha_bar[s]) x0 + sqrt(1 - alpha_bar[s]) eps.
"""  # noqa: E501


def write_onnx(path: Path, checkpoint: Trained) -> float | None:
    """Write the averaged network; the largest difference from torch, or None where onnxruntime is not installed.

    The file is checked beside its place and moved there whole. Raises FormatError.
    """
    onnx = need("onnx", "The ONNX export")
    if len(checkpoint.about.shape) != 3:
        raise FormatError(
            "The ONNX export is for images, and this network was trained on points: use a U-Net."
        )
    with replacing(path) as part:
        _trace(part, checkpoint)
        model = onnx.load(part)
        _keep_every_input(onnx, model, list(example_inputs(checkpoint)))
        onnx.helper.set_model_props(model, metadata(checkpoint))
        model.doc_string = HOW_TO_SAMPLE
        onnx.checker.check_model(model)
        onnx.save(model, part)
        off = disagreement(part, checkpoint.network(), _trials(checkpoint))
    return off


def metadata(checkpoint: Trained) -> dict[str, str]:
    """What sampling needs besides the network, each value as JSON. alpha_bar has T + 1 entries in full precision."""
    about, schedule = checkpoint.about, checkpoint.schedule
    values: dict[str, Any] = {
        "format": "ddpm_lib/1",
        "alpha_bar": schedule.alpha_bar.tolist(),
        "T": schedule.T,
        "schedule": schedule.name,
        "predicts": checkpoint.model_config.predicts,
        "shape": list(about.shape),
        "multiple": multiple_of(checkpoint.model_config),  # what a height and a width must be divisible by
        "data": about.data,
    }
    if classes := classes_of(checkpoint.model_config):
        values |= {"classes": list(about.classes) or list(map(str, range(classes))), "no_class": classes}
    return {name: json.dumps(value) for name, value in values.items()}


def multiple_of(config: NetworkConfig) -> int:
    """What a height and a width must be divisible by."""
    return config.fold * 2 ** (len(config.mults) - 1) if isinstance(config, UNetConfig) else 1


def example_inputs(checkpoint: Trained, batch: int = 2, larger: int = 0) -> dict[str, Tensor]:
    """Inputs by name: noise, times spread over 1 ... T and, where there are classes, labels up to "no class"."""
    c, h, w = checkpoint.about.shape
    T, classes = checkpoint.schedule.T, classes_of(checkpoint.model_config)
    noise = torch.randn(batch, c, h + larger, w + larger, generator=torch.Generator().manual_seed(batch))
    inputs = {"xt": noise, "t": torch.linspace(T, 1, batch).round().long()}
    return inputs | ({"y": torch.linspace(classes, 0, batch).round().long()} if classes else {})


def _trials(checkpoint: Trained) -> list[dict[str, Tensor]]:
    # Neither the batch nor the second size is the one that was traced.
    larger = multiple_of(checkpoint.model_config)
    return [example_inputs(checkpoint, 3), example_inputs(checkpoint, 1, larger)]


def _trace(path: Path, checkpoint: Trained) -> None:
    """torch's older exporter, which traces: it needs the package onnx alone.

    The newer one (dynamo=True) needs onnxscript too and takes twenty times as long (18 s against 0.9 s for a U-Net
    with attention, torch 2.13); the files agree with torch equally well. Should torch drop the older one, take that.
    """
    inputs = example_inputs(checkpoint)
    free: dict[str, dict[int, str]] = {name: {0: "batch"} for name in (*inputs, "output")}
    for name in ("xt", "output"):
        free[name] |= {2: "height", 3: "width"}
    with warnings.catch_warnings():
        # It warns that checks of the image's size are left out of the graph, and that the exporter is the older one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            checkpoint.network(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=["output"],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )


def _keep_every_input(onnx: Any, model: Any, names: list[str]) -> None:
    # A network without a time embedding does not read t, and the tracer leaves it out: all files take it all the same.
    there = {value.name for value in model.graph.input}
    for name in names:
        if name not in there:
            value = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["batch"])
            model.graph.input.append(value)
