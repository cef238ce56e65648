"""Whether an ONNX file computes what the network computes, asked of onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ddpm_lib.formats import FormatError, need

TOLERANCE = 1e-4  # of the largest output, or of 1 where that is smaller; float32 gives about 1e-6


def disagreement(path: Path, network: nn.Module, trials: Sequence[dict[str, Tensor]]) -> float | None:
    """The largest difference of the file's outputs from the network's, or None without onnxruntime.

    Raises FormatError when it is more than rounding.
    """
    try:
        runtime = need("onnxruntime", "The check of an ONNX file")
    except FormatError:
        return None
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for inputs in trials:
        (output,) = session.run(None, {name: x.numpy() for name, x in inputs.items()})
        with torch.inference_mode():
            expected = network(*inputs.values())
        off = float((torch.from_numpy(output) - expected).abs().max())
        if not off <= TOLERANCE * max(1.0, float(expected.abs().max())):  # a NaN is no agreement
            raise FormatError(
                f"onnxruntime {runtime.__version__} computes another output from the ONNX file than torch "
                f"{torch.__version__} does from the network (off by {off:.2g}), and nothing was written: "
                "try other versions of torch, onnx and onnxruntime."
            )
        worst = max(worst, off)
    return worst
