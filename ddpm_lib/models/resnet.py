"""The first denoiser of the course: a plain residual network, which fails, and its wider, time-conditioned variant."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.denoiser import Labels, Predicts, Shape, Times
from ddpm_lib.models.blocks import ACTIVATIONS, Image, TimeMLP, check_channels, zero_init

MOST_DILATED = 12  # blocks: the last skips 2^11 pixels


@dataclass(frozen=True)
class ResNetConfig:
    """The shape of a ResNet. The defaults are the classic one: image channels throughout, no time input."""

    channels: int = 1  # of the image
    width: int = 0  # feature maps inside; 0 means as many as the image has channels
    # residual blocks; each widens the receptive field by 4 pixels, from 1 (or from 5 with `width`)
    blocks: int = 4
    dilate: bool = False  # block k = 0, 1, 2 ... skips pixels and widens it by 4 * 2^k: with four, by 60
    time: bool = False  # whether the blocks are time-conditioned
    predicts: Predicts = "eps"  # or "x0", "v"


class ResNet(nn.Module):
    """A denoiser for (b, channels, h, w) images of any height and width."""

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        self.config, self.predicts = config, config.predicts
        if config.dilate and config.blocks > MOST_DILATED:
            raise ValueError(
                f"Block {config.blocks} of a dilated ResNet would skip 2^{config.blocks - 1} pixels, more than an "
                f"image has: take at most {MOST_DILATED} blocks."
            )
        width = config.width or config.channels
        time_dim = 4 * max(width, 16) if config.time else 0
        self.time = TimeMLP(max(width, 16) // 2 * 2, time_dim, "leaky_relu") if config.time else None
        self.blocks = nn.ModuleList(
            ResNetBlock(width, time_dim, 2**k if config.dilate else 1) for k in range(config.blocks)
        )
        wide = width != config.channels
        self.widen = nn.Conv2d(config.channels, width, 3, padding=1) if wide else nn.Identity()
        self.narrow = zero_init(nn.Conv2d(width, config.channels, 3, padding=1)) if wide else nn.Identity()

    def forward(self, xt: Image, t: Times, y: Labels | None = None) -> Image:
        """The prediction at (x_t, t); a ResNet knows no classes, so y must be None."""
        if y is not None:
            raise ValueError("A ResNet knows no classes: leave y out, or use a U-Net built with classes=10.")
        self.check_shape(tuple(xt.shape[1:]))
        emb = self.time(t) if self.time is not None else None
        h = self.widen(xt)
        for block in self.blocks:
            h = block(h, emb)
        out: Tensor = self.narrow(h)
        return out

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless this network reads images of the shape (c, h, w)."""
        check_channels(shape, self.config.channels)


class ResNetBlock(nn.Module):
    """x + conv3x3(lrelu(conv3x3(lrelu(x)) + time)), C channels in and out.

    Book: eq-resnet-block (He et al. 2016).

    Both convolutions are dilated by `apart`.
    """

    def __init__(self, channels: int, time_dim: int, apart: int = 1) -> None:
        super().__init__()
        self.act = ACTIVATIONS["leaky_relu"]()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=apart, dilation=apart)
        self.time = nn.Linear(time_dim, channels) if time_dim else None
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=apart, dilation=apart)

    def forward(
        self, x: Float[Tensor, "b c h w"], emb: Float[Tensor, "b e"] | None
    ) -> Float[Tensor, "b c h w"]:
        """Same shape out as in."""
        h = self.conv1(self.act(x))
        if self.time is not None and emb is not None:
            h = h + self.time(emb)[:, :, None, None]
        out: Tensor = x + self.conv2(self.act(h))
        return out
