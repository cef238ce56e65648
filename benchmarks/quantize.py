"""What rounding the weights costs: the Frechet distance of cpu-minutes' digits at several widths of its weights.

    python -m benchmarks.quantize [--samples 2048]

The same seeds are drawn (DDIM, 20 steps, guidance 0.5) with the network as it is and with every matrix rounded,
one scale for each output channel. Vectors (biases, norms) keep float32. Beside the distance stands how far the images
themselves moved: a distance has sampling noise of its own, the same seeds' images have none.
Written to ddpm_lib/assets/measured/quantize.json, which a chapter reads.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.machine import machine
from ddpm_lib import load
from ddpm_lib.data import ASSETS, mnist
from ddpm_lib.evaluate.generate import class_labels, generate, with_guidance
from ddpm_lib.evaluate.metrics import digit_classes, digit_distance
from ddpm_lib.models import Network, classes_of
from ddpm_lib.models.trained import Trained
from ddpm_lib.web.quantize import dequantize, quantize

RESULT = ASSETS / "measured" / "quantize.json"
WHAT = "digits of cpu-minutes with the weights rounded: DDIM, 20 steps, guidance 0.5, the same seeds for every width"
BITS = (12, 8, 6, 4)


def rounded(model: Network, bits: int) -> Network:
    """A copy of the network with every matrix rounded to `bits` bits."""
    model = copy.deepcopy(model)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data = dequantize(*quantize(parameter.data, bits))
    return model


def digits(checkpoint: Trained, model: Network, n: int) -> Tensor:
    """n digits, seeds 0 to n - 1, classes in turn."""
    y = class_labels(n, classes_of(checkpoint.model_config))
    denoiser = with_guidance(model, 0.5)
    batches = generate(denoiser, checkpoint.diffusion, checkpoint.about.shape, range(n), y=y, steps=20)
    return torch.cat(list(batches))


def measure(n: int) -> Iterator[dict[str, object]]:
    """One row a width; the first is the network as it is."""
    checkpoint = load("cpu-minutes")
    model = checkpoint.network()
    real = mnist(train=False).x0()
    y = class_labels(n, 10)
    exact = None
    for bits in (None, *BITS):
        x = digits(checkpoint, model if bits is None else rounded(model, bits), n)
        exact = x if exact is None else exact
        yield {
            "bits": bits,
            "distance": round(digit_distance(x, real), 2),
            "agreement": digit_classes(x, y).agreement,
            "moved": round(float((x - exact).square().mean().sqrt()), 4),  # root mean square, a pixel
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="Frechet distance by the width of the weights.")
    parser.add_argument("--samples", type=int, default=2048)
    n = parser.parse_args().samples
    rows = []
    for row in measure(n):
        print(row, flush=True)
        rows.append(row)
    result = {"what": WHAT, "samples": n, "rows": rows, "machine": machine()}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
