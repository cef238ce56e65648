"""The diffusion transformer: an image as a row of patches, and time and class that scale every block."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ddpm_lib.denoiser import Labels, Predicts, Shape, Times
from ddpm_lib.models.blocks import Image, TimeMLP, time_embedding, zero_init
from ddpm_lib.models.unet import check_labels

Tokens = Float[Tensor, "b n c"]
PerImage = Float[Tensor, "b 1 c"]


@dataclass(frozen=True)
class DiTConfig:
    """The shape of a diffusion transformer. The defaults fit a latent of 7 x 7 x 4."""

    channels: int = 4  # of the image or latent
    patch: int = 1  # side of the squares that become tokens
    width: int = 64  # features of a token, divisible by 4 and by heads
    blocks: int = 4  # transformer blocks
    heads: int = 4  # attention heads
    classes: int = 10  # 0 is unconditional; label `classes` then means "no class"
    predicts: Predicts = "x0"  # or "eps", "v"


def modulate(h: Tokens, shift: PerImage, scale: PerImage) -> Tokens:
    """(1 + scale) h + shift: the same for all tokens of an image."""
    return (1 + scale) * h + shift


def positions(h: int, w: int, width: int) -> Float[Tensor, "n width"]:
    """Where each patch lies: the sinusoids of its row in one half of the features, of its column in the other."""
    rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    return torch.cat([time_embedding(each.flatten(), width // 2) for each in (rows, columns)], dim=1)


class DiTBlock(nn.Module):
    """Attention and a small network for each token, each scaled, shifted and gated by time and class.

    Book: eq-adaln (Peebles and Xie 2023, section 3.2, "adaLN-Zero").

    All gates begin at 0, so that the block begins as the identity.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))
        self.modulation = nn.Sequential(nn.SiLU(), zero_init(nn.Linear(width, 6 * width)))

    def forward(self, h: Tokens, c: Float[Tensor, "b c"]) -> Tokens:
        """Tokens in, tokens out; `c` stands for time and class."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(c)[:, None].chunk(6, dim=-1)
        h = h + gate1 * self.attend(modulate(self.norm(h), shift1, scale1))
        out: Tensor = h + gate2 * self.mlp(modulate(self.norm(h), shift2, scale2))
        return out

    def attend(self, h: Tokens) -> Tokens:
        """Self-attention, as in the U-Net: each token asks all tokens."""
        b, n, width = h.shape
        q, k, v = self.qkv(h).reshape(b, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        out: Tensor = self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, width))
        return out


class DiT(nn.Module):
    """A denoiser for (b, channels, h, w) images or latents; h and w divisible by patch."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config, self.predicts, width = config, config.predicts, config.width
        if not width or width % 4 or width % config.heads:
            raise ValueError(
                f"A width of {width} cannot be split into {config.heads} heads and four parts of a position: "
                "take a multiple of 4 and of the heads."
            )
        pixels = config.channels * config.patch**2
        self.first = nn.Linear(pixels, width)
        self.time = TimeMLP(width, width, "silu")
        self.label = nn.Embedding(config.classes + 1, width) if config.classes else None
        self.blocks = nn.ModuleList(DiTBlock(width, config.heads) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = nn.Sequential(nn.SiLU(), zero_init(nn.Linear(width, 2 * width)))
        self.last = zero_init(nn.Linear(width, pixels))

    def forward(self, xt: Image, t: Times, y: Labels | None = None) -> Image:
        """The prediction at (x_t, t), for class y where the network knows classes."""
        self.check_shape(tuple(xt.shape[1:]))
        self._check_labels(y)
        patches = F.pixel_unshuffle(xt, self.config.patch)  # (b, pixels, rows, columns)
        rows, columns = patches.shape[-2:]
        h = self.first(patches.flatten(2).transpose(1, 2))
        h = h + positions(rows, columns, self.config.width).to(h)
        c = self._embed(t, y)
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.modulation(c)[:, None].chunk(2, dim=-1)
        h = self.last(modulate(self.norm(h), shift, scale))
        return F.pixel_shuffle(h.transpose(1, 2).unflatten(2, (rows, columns)), self.config.patch)

    def _embed(self, t: Times, y: Labels | None) -> Float[Tensor, "b c"]:
        emb: Tensor = self.time(t)
        if self.label is not None:
            emb = emb + self.label(t.new_full(t.shape, self.config.classes) if y is None else y)
        return emb

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless this network reads images of the shape (c, h, w)."""
        config = self.config
        if len(shape) != 3 or shape[0] != config.channels or any(n % config.patch for n in shape[1:]):
            raise ValueError(
                f"This DiT reads {config.channels} channels in patches of {config.patch} x {config.patch}, but the "
                f"images are {shape}: pass (channels, height, width) that fit."
            )

    def _check_labels(self, y: Tensor | None) -> None:
        if y is not None and self.label is None:
            raise ValueError("This DiT was built without classes: leave y out, or build it with classes=10.")
        if y is not None:
            check_labels(y, self.config.classes)
