"""A small denoiser for points in the plane (or any vectors)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, cat, nn

from ddpm_lib.denoiser import Labels, Predicts, Shape, Times
from ddpm_lib.models.blocks import TimeMLP, zero_init


@dataclass(frozen=True)
class MLPConfig:
    """The shape of an MLP denoiser."""

    dim: int = 2  # of the points
    width: int = 128  # features of a hidden layer
    layers: int = 3  # hidden layers
    predicts: Predicts = "eps"  # or "x0", "v"


class MLP(nn.Module):
    """A denoiser for (b, dim) points: the point and the time's features through a few SiLU layers."""

    def __init__(self, config: MLPConfig) -> None:
        super().__init__()
        self.config, self.predicts = config, config.predicts
        self.time = TimeMLP(32, config.width, "silu")
        sizes = [config.dim + config.width] + [config.width] * config.layers
        hidden = [nn.Sequential(nn.Linear(a, b), nn.SiLU()) for a, b in pairwise(sizes)]
        self.net = nn.Sequential(*hidden, zero_init(nn.Linear(config.width, config.dim)))

    def forward(self, xt: Float[Tensor, "b d"], t: Times, y: Labels | None = None) -> Float[Tensor, "b d"]:
        """The prediction at (x_t, t); an MLP knows no classes, so y must be None."""
        if y is not None:
            raise ValueError("An MLP denoiser knows no classes: leave y out.")
        self.check_shape(tuple(xt.shape[1:]))
        out: Tensor = self.net(cat([xt, self.time(t).to(xt.dtype)], dim=1))
        return out

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless this network reads points of the shape (dim,)."""
        if shape != (self.config.dim,):
            raise ValueError(f"This MLP reads points of {self.config.dim} numbers, and not {shape}.")
