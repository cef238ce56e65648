"""The U-Net: down, middle, up, with skip connections from every level down to the same level up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, cat, nn

from ddpm_lib.denoiser import Labels, Predicts, Shape, Times
from ddpm_lib.models.blocks import (
    ACTIVATIONS,
    Attention,
    Downsample,
    Image,
    ResidualBlock,
    TimeMLP,
    Upsample,
    check_channels,
    check_pairs,
    group_norm,
    zero_init,
)


@dataclass(frozen=True)
class UNetConfig:
    """The shape of a U-Net. The defaults are the classic one of the course: no norm, LeakyReLU."""

    channels: int = 1  # of the image
    base: int = 96  # feature maps at the first level
    mults: tuple[int, ...] = (1, 2, 2)  # feature maps at each level, in units of base
    blocks: int = 2  # residual blocks per level
    attention: tuple[int, ...] = ()  # levels with attention after each block; 0 is the first
    heads: int = 4  # attention heads
    groups: int = 0  # of GroupNorm; 0 is no norm
    activation: str = "leaky_relu"  # or "silu"
    scale_shift: bool = False  # time scales and shifts the norm instead of being added
    dropout: float = 0.0  # probability of dropping a feature in a residual block, in training
    fold: int = 1  # factor of the pixel unshuffle at the input: fold x fold pixels become channels
    classes: int = 0  # 0 is unconditional; label `classes` then means "no class"
    predicts: Predicts = "eps"  # or "x0", "v"


class UNet(nn.Module):
    """A denoiser for (b, channels, h, w) images; h and w divisible by fold * 2 ** (levels - 1)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config, self.predicts = config, config.predicts
        widths = [config.base * m for m in config.mults]
        time_dim, pixels = 4 * config.base, config.channels * config.fold**2
        block = partial(
            ResidualBlock,
            time_dim=time_dim,
            activation=config.activation,
            groups=config.groups,
            scale_shift=config.scale_shift,
            dropout=config.dropout,
        )
        self.time = TimeMLP(config.base, time_dim, config.activation)
        self.label = nn.Embedding(config.classes + 1, time_dim) if config.classes else None

        self.first = nn.Conv2d(pixels, widths[0], 3, padding=1)
        self.down, skips, c = nn.ModuleList(), [widths[0]], widths[0]
        for level, width in enumerate(widths):
            if level:
                self.down.append(Stage(Downsample(c, c)))
                skips.append(c)
            for _ in range(config.blocks):
                self.down.append(Stage(block(c, width), self._attention(level, width)))
                c = width
                skips.append(c)

        self.middle = nn.ModuleList(
            [Stage(block(c, c), Attention(c, config.heads, config.groups)), Stage(block(c, c))]
        )

        self.up = nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            for i in range(config.blocks + 1):
                last = i == config.blocks and level > 0
                stage = [block(c + skips.pop(), width), self._attention(level, width)]
                self.up.append(Stage(*stage, Upsample(width, width) if last else nn.Identity()))
                c = width
        self.last = nn.Sequential(
            group_norm(c, config.groups),
            ACTIVATIONS[config.activation](),
            zero_init(nn.Conv2d(c, pixels, 3, padding=1)),
        )
        check_pairs(config.base)

    def forward(self, xt: Image, t: Times, y: Labels | None = None) -> Image:
        """The prediction at (x_t, t), for class y where the network knows classes."""
        self.check_shape(tuple(xt.shape[1:]))
        self._check_labels(y)
        emb = self._embed(t, y)
        h = self.first(F.pixel_unshuffle(xt, self.config.fold))
        skips = [h]
        for stage in self.down:
            h = stage(h, emb)
            skips.append(h)
        for stage in self.middle:
            h = stage(h, emb)
        for stage in self.up:
            h = stage(cat([h, skips.pop()], dim=1), emb)
        return F.pixel_shuffle(self.last(h), self.config.fold)

    def _embed(self, t: Times, y: Labels | None) -> Float[Tensor, "b e"]:
        emb: Tensor = self.time(t)
        if self.label is not None:
            no_class = t.new_full(t.shape, self.config.classes)
            emb = emb + self.label(no_class if y is None else y)
        return emb

    def _attention(self, level: int, width: int) -> nn.Module:
        config = self.config
        return Attention(width, config.heads, config.groups) if level in config.attention else nn.Identity()

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless this network reads images of the shape (c, h, w)."""
        check_channels(shape, self.config.channels)
        multiple = self.config.fold * 2 ** (len(self.config.mults) - 1)
        height, width = shape[1:]
        if height % multiple or width % multiple:
            raise ValueError(
                f"A U-Net of {len(self.config.mults)} levels and fold {self.config.fold} needs a height and "
                f"width divisible by {multiple}, but the images are {height} x {width}: pad or resize them, "
                "or use fewer levels."
            )

    def _check_labels(self, y: Tensor | None) -> None:
        if y is not None and self.label is None:
            raise ValueError(
                "This U-Net was built without classes: leave y out, or build it with classes=10."
            )
        if y is not None:
            check_labels(y, self.config.classes)


def check_labels(y: Tensor, classes: int) -> None:
    """Raise ValueError for labels of another kind than 0 ... classes, where `classes` means "no class".

    Their values are looked at on the CPU only: a GPU would have to be waited for, and stops at them by itself.
    """
    if y.dtype not in (torch.int32, torch.int64):
        raise ValueError(f"The labels are {y.dtype}: pass whole numbers, y.long().")
    if (
        y.device.type != "cpu"
        or not y.numel()
        or torch.compiler.is_compiling()
        or torch.onnx.is_in_onnx_export()
    ):
        return
    low, high = map(int, y.aminmax())
    if low < 0 or high > classes:
        raise ValueError(
            f"There is no class {low if low < 0 else high}: this network knows 0 to {classes - 1}, and {classes} for "
            "no class."
        )


class Stage(nn.Module):
    """One entry of the down or up path: a residual block and what follows it, or a resampling alone."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(part for part in parts if not isinstance(part, nn.Identity))

    def forward(self, h: Float[Tensor, "b c h w"], emb: Float[Tensor, "b e"]) -> Float[Tensor, "b c2 h2 w2"]:
        """Run the parts in turn; only a residual block reads the time."""
        for part in self.parts:
            h = part(h, emb) if isinstance(part, ResidualBlock) else part(h)
        return h
