"""The layers that the denoisers are built from: time embedding, residual block, attention, resampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.denoiser import Shape, Times

Image = Float[Tensor, "b c h w"]
M = TypeVar("M", nn.Conv2d, nn.Linear)
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"silu": nn.SiLU, "leaky_relu": lambda: nn.LeakyReLU(0.2)}


def zero_init(layer: M) -> M:
    """Set a layer to zero, so that the residual block around it begins as the identity."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def check_pairs(dim: int) -> None:
    """Raise ValueError unless `dim` features can be cosines and sines."""
    if dim < 2 or dim % 2:
        raise ValueError(
            f"Cosines and sines of the time come in pairs, and {dim} features are none: take an even width."
        )


def check_channels(shape: Shape, channels: int) -> None:
    """Raise ValueError unless `shape` is (channels, h, w)."""
    if len(shape) != 3 or shape[0] != channels:
        found = f"have {shape[0]}" if len(shape) == 3 else f"are {shape}"
        raise ValueError(f"This network reads {channels} channels, but the images {found}.")


def time_embedding(t: Times, dim: int, max_period: float = 10_000.0) -> Float[Tensor, "b dim"]:
    """[cos(t w_i), sin(t w_i)], dim / 2 frequencies w_i from 1 down towards 1 / max_period.

    Book: eq-time-embedding (Vaswani et al. 2017, section 3.5).

    One row per time, one column per cosine and sine, so that `dim` must be even: ValueError.
    """
    check_pairs(dim)
    exponent = torch.arange(dim // 2, device=t.device, dtype=torch.float32) / (dim // 2)
    angle = t.float()[:, None] * torch.exp(-math.log(max_period) * exponent)[None, :]
    return torch.cat([angle.cos(), angle.sin()], dim=1)


class TimeMLP(nn.Module):
    """Sinusoidal embedding of the time, then two linear layers: the input of every time-conditioned block."""

    def __init__(self, dim: int, out: int, activation: str) -> None:
        super().__init__()
        self.dim = dim
        self.mlp = nn.Sequential(nn.Linear(dim, out), ACTIVATIONS[activation](), nn.Linear(out, out))

    def forward(self, t: Times) -> Float[Tensor, "b out"]:
        """(b,) times to (b, out) features."""
        features: Tensor = self.mlp(time_embedding(t, self.dim))
        return features


def group_norm(channels: int, groups: int) -> nn.Module:
    """GroupNorm with at most `groups` groups that divide the channels; no normalization for 0."""
    return nn.GroupNorm(math.gcd(channels, groups), channels) if groups else nn.Identity()


class ResidualBlock(nn.Module):
    """skip(x) + conv(act(norm(conv(act(norm(x))) + time))).

    Book: eq-unet-block (Ho et al. 2020, appendix B).

    The time features are added after the first convolution or, with `scale_shift`, scale and shift the
    second normalization (Nichol and Dhariwal 2021; Dhariwal and Nichol 2021, section 3.1).
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        time_dim: int,
        *,
        activation: str,
        groups: int,
        scale_shift: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.act, self.scale_shift = ACTIVATIONS[activation](), scale_shift
        self.norm1, self.conv1 = group_norm(c_in, groups), nn.Conv2d(c_in, c_out, 3, padding=1)
        self.time = nn.Linear(time_dim, 2 * c_out if scale_shift else c_out)
        self.norm2, self.dropout = group_norm(c_out, groups), nn.Dropout(dropout)
        self.conv2 = zero_init(nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1)

    def forward(
        self, x: Float[Tensor, "b c_in h w"], emb: Float[Tensor, "b e"]
    ) -> Float[Tensor, "b c_out h w"]:
        """Same height and width; c_in channels in, c_out channels out."""
        h = self.conv1(self.act(self.norm1(x)))
        time = self.time(self.act(emb))[:, :, None, None]
        if self.scale_shift:
            scale, shift = time.chunk(2, dim=1)
            h = self.norm2(h) * (1 + scale) + shift
        else:
            h = self.norm2(h + time)
        out: Tensor = self.skip(x) + self.conv2(self.dropout(self.act(h)))
        return out


class Attention(nn.Module):
    """x + attention over the h * w pixels, with `heads` heads that each see channels / heads features.

    Book: eq-attention (Vaswani et al. 2017, eq. 1).
    """

    def __init__(self, channels: int, heads: int, groups: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{channels} channels cannot be split into {heads} heads of attention: take a width that they divide."
            )
        self.heads = heads
        self.norm = group_norm(channels, groups)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zero_init(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Image) -> Image:
        """softmax(q k^T / sqrt(d)) v for each head (Vaswani et al. 2017, eq. 1), by torch's fused kernel.

        Pixels come first, features last, as channels_last lays them out: then q, k and v are views, not copies.
        """
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).permute(0, 2, 3, 1).reshape(b, h * w, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (b, heads, h * w, c / heads)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h, w, c)
        out: Tensor = x + self.out(mixed.permute(0, 3, 1, 2))
        return out


class Downsample(nn.Module):
    """Halve height and width by a 3x3 convolution of stride 2."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1)

    def forward(self, x: Float[Tensor, "b c_in h w"]) -> Float[Tensor, "b c_out h2 w2"]:
        """(b, c, h, w) to (b, c, h / 2, w / 2)."""
        out: Tensor = self.conv(x)
        return out


class Upsample(nn.Module):
    """Double height and width by repeating each pixel, then a 3x3 convolution."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c_in h w"]) -> Float[Tensor, "b c_out h2 w2"]:
        """(b, c, h, w) to (b, c, 2 h, 2 w)."""
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
        return out
