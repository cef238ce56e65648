"""The course's own digit classifier: the eyes of the metrics. `tools/train_classifier.py` trains it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Float
from safetensors.torch import load
from torch import Tensor, nn

from ddpm_lib.data import ASSETS, verified

WEIGHTS = ASSETS / "classifier" / "digits.safetensors"


class DigitClassifier(nn.Module):
    """A small convolutional network for (b, 1, 28, 28) digits in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()

        def stage(c_in: int, c_out: int, size: int = 3, stride: int = 1) -> list[nn.Module]:
            conv = nn.Conv2d(c_in, c_out, size, stride, padding=size // 2, bias=False)
            return [conv, nn.BatchNorm2d(c_out), nn.ReLU()]

        self.body = nn.Sequential(
            *stage(1, 32, size=5, stride=2), *stage(32, 64), *stage(64, 64), nn.MaxPool2d(2), *stage(64, 128),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(128 * 7 * 7, 128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)

    def features(self, x: Float[Tensor, "b 1 28 28"]) -> Float[Tensor, "b 128"]:
        """What the Frechet distance is taken on: the last layer before the classes."""
        out: Tensor = self.body(x)
        return out

    def forward(self, x: Float[Tensor, "b 1 28 28"]) -> Float[Tensor, "b 10"]:
        """Logits of the ten digits."""
        out: Tensor = self.head(self.features(x))
        return out


@lru_cache(maxsize=1)
def digit_classifier() -> DigitClassifier:
    """The trained classifier of the package, frozen, on the CPU."""
    model = DigitClassifier()
    model.load_state_dict({name: t.float() for name, t in load(verified(WEIGHTS)).items()})
    return model.eval().requires_grad_(False)


@torch.inference_mode()
def in_batches(
    function: Callable[[Tensor], Tensor], x: Float[Tensor, "n 1 28 28"], size: int = 100
) -> Float[Tensor, "n k"]:
    """function(x), `size` images at a time."""
    return torch.cat([function(part) for part in x.split(size)])
