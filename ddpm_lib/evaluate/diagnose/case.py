"""What `diagnose` looks at, and what a check says."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ddpm_lib.denoiser import Denoiser, Labels, X
from ddpm_lib.diffusion import GaussianDiffusion
from ddpm_lib.models import classes_of
from ddpm_lib.sampling import Noise, Step

NO_NUMBER = re.compile(r"(?<![a-z])(nan|inf)(?![a-z])")


@dataclass(frozen=True)
class Finding:
    """What one check measured, and the fault that it points to: "" where all is well."""

    check: str
    measured: str
    fault: str = ""

    def of_numbers(self) -> Finding:
        """The same; a fault where what was measured is no finite number, whatever the check made of it."""
        if self.fault or not NO_NUMBER.search(self.measured):
            return self
        return replace(
            self, fault="answers that are not finite: weights or images with NaN, or much too large"
        )

    def __str__(self) -> str:
        return f"{'SICK' if self.fault else 'ok':5}{self.check:10}{self.measured}" + (
            f": {self.fault}" if self.fault else ""
        )


@dataclass(frozen=True, eq=False)
class Case:
    """A network as its sampler calls it, the diffusion and the step of that sampler, and a batch to train on."""

    denoiser: Denoiser
    diffusion: GaussianDiffusion
    x0: X
    y: Labels | None
    step: Step
    raw: Denoiser | None  # the network before averaging, where it is known
    module: nn.Module | None  # whose weights are looked at

    @property
    def classes(self) -> int:
        """The number of classes that the network knows."""
        config = getattr(self.module, "config", None)
        return classes_of(config) if config is not None else 0

    @property
    def labels(self) -> Labels | None:
        """The batch's labels, where the network reads any."""
        return self.y if self.classes else None

    @property
    def eps(self) -> X:
        """Noise for the batch, the same at every time."""
        return Noise(range(len(self.x0)), self.x0.shape[1:], self.x0.device)()

    def at(self, *shares: float) -> list[int]:
        """The times at which alpha_bar is nearest to each of `shares`."""
        ab = self.diffusion.schedule.alpha_bar[1:]
        return [1 + int((ab - share).abs().argmin()) for share in shares]

    def ask(self, xt: X, t: int, y: Labels | None = None, of: Denoiser | None = None) -> X:
        """The answer of the network (or another) to x_t, told t, 64 images at a time."""
        denoiser = of or self.denoiser
        with torch.inference_mode():
            parts = [
                denoiser(x, torch.full((len(x),), t, device=x.device), None if y is None else y[i : i + 64])
                for i, x in zip(range(0, len(xt), 64), xt.split(64), strict=True)
            ]
        return torch.cat(parts)

    def loss(self, t: int, y: Labels | None, of: Denoiser | None = None) -> float:
        """The mean squared error of an answer at t, as in training."""
        denoiser = of or self.denoiser
        xt = self.diffusion.q_sample(self.x0, t, self.eps)
        target = self.diffusion.target(self.x0, t, self.eps, denoiser.predicts)
        return mean_square(self.ask(xt, t, y, of) - target)


def mean_square(x: Tensor) -> float:
    """The mean of the squares, in float64."""
    return float(x.double().square().mean())
