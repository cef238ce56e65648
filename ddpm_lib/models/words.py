"""A denoiser that is told in words what to draw: residual blocks whose pixels attend to the words of a phrase."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ddpm_lib.denoiser import Labels, Predicts, Shape, Times
from ddpm_lib.models.blocks import (
    Attention,
    Image,
    ResidualBlock,
    TimeMLP,
    check_channels,
    check_pairs,
    group_norm,
    zero_init,
)
from ddpm_lib.models.unet import check_labels

NOTHING = "(nothing)"  # the phrase of no words, which guidance needs
LONGEST = 16  # words of a phrase


@dataclass(frozen=True)
class WordsConfig:
    """The shape of the network, and every phrase that it has a number for."""

    phrases: tuple[str, ...]  # label i is phrases[i]; label len(phrases) means "no words"
    channels: int = 4  # of the image or latent
    base: int = 64  # feature maps
    blocks: int = 3  # residual blocks, each followed by attention to the pixels and to the words
    heads: int = 4  # attention heads
    groups: int = 1  # of GroupNorm
    predicts: Predicts = "x0"  # or "eps", "v"

    @property
    def classes(self) -> int:
        """How many phrases there are: to the training loop and to guidance, a phrase is a label."""
        return len(self.phrases)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All words, in the order of their numbers: 0 fills up short phrases, 1 is the phrase of no words."""
        return ("", NOTHING, *sorted({word for phrase in self.phrases for word in phrase.split()}))


def tokenize(config: WordsConfig) -> Int[Tensor, "phrases words"]:
    """The numbers of each phrase's words, filled up with 0 on the right; the last row is the phrase of no words."""
    number = {word: i for i, word in enumerate(config.vocabulary)}
    rows = [[number[word] for word in phrase.split()] for phrase in (*config.phrases, NOTHING)]
    longest = max(map(len, rows))
    if not all(rows) or longest > LONGEST:
        raise ValueError(f"A phrase has 1 to {LONGEST} words: leave empty ones out, and shorten long ones.")
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows])


class CrossAttention(nn.Module):
    """x + attention of its h * w pixels to the words of a phrase: queries from the pixels, keys and values from words.

    Book: eq-cross-attention (Rombach et al. 2022, section 3.3).
    """

    def __init__(self, channels: int, context: int, heads: int, groups: int) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{channels} channels cannot be split into {heads} heads of attention: take a width that they divide."
            )
        self.heads = heads
        self.norm = group_norm(channels, groups)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key, self.value = nn.Linear(context, channels), nn.Linear(context, channels)
        self.out = zero_init(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Image, words: Float[Tensor, "b l context"], there: Bool[Tensor, "b l"]) -> Image:
        """The same shape as x; `there` says which words are no filling."""
        b, c, h, w = x.shape
        mixed = self.weights(x, words, there) @ self._by_head(
            self.value(words)
        )  # (b, heads, h * w, c / heads)
        out: Tensor = x + self.out(mixed.transpose(2, 3).reshape(b, c, h, w))
        return out

    def weights(
        self, x: Image, words: Float[Tensor, "b l context"], there: Bool[Tensor, "b l"]
    ) -> Float[Tensor, "b heads n l"]:
        """softmax(q k^T / sqrt(d)) over the words that are there: what each of the n = h * w pixels reads."""
        q = self._by_head(self.query(self.norm(x)).flatten(2).transpose(1, 2))
        k = self._by_head(self.key(words))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
        weights: Tensor = scores.masked_fill(~there[:, None, None], -math.inf).softmax(dim=-1)
        return weights

    def _by_head(self, features: Float[Tensor, "b n c"]) -> Float[Tensor, "b heads n d"]:
        b, n, c = features.shape
        return features.reshape(b, n, self.heads, c // self.heads).transpose(1, 2)


class Words(nn.Module):
    """A denoiser for (b, channels, h, w) images or latents and a phrase each, named by its number."""

    table: Int[Tensor, "phrases words"]

    def __init__(self, config: WordsConfig) -> None:
        super().__init__()
        self.config, self.predicts, width = config, config.predicts, config.base
        self.register_buffer("table", tokenize(config), persistent=False)
        self.words = nn.Embedding(len(config.vocabulary), width)
        self.place = nn.Parameter(torch.zeros(self.table.shape[1], width))
        self.time = TimeMLP(width, 4 * width, "silu")
        self.first = nn.Conv2d(config.channels, width, 3, padding=1)
        self.blocks, self.self_attention, self.cross_attention = (nn.ModuleList() for _ in range(3))
        for _ in range(config.blocks):
            self.blocks.append(
                ResidualBlock(
                    width,
                    width,
                    4 * width,
                    activation="silu",
                    groups=config.groups,
                    scale_shift=True,
                    dropout=0.0,
                )
            )
            self.self_attention.append(Attention(width, config.heads, config.groups))
            self.cross_attention.append(CrossAttention(width, width, config.heads, config.groups))
        self.last = nn.Sequential(
            group_norm(width, config.groups),
            nn.SiLU(),
            zero_init(nn.Conv2d(width, config.channels, 3, padding=1)),
        )
        check_pairs(width)

    def forward(
        self, xt: Image, t: Times, y: Labels | None = None, seen: list[Tensor] | None = None
    ) -> Image:
        """The prediction at (x_t, t) for phrase y; None is "no words". `seen` collects what `attention` returns."""
        self.check_shape(tuple(xt.shape[1:]))
        if y is not None:
            check_labels(y, self.config.classes)
        tokens = self.table[t.new_full(t.shape, self.config.classes) if y is None else y]
        words, there = self.words(tokens) + self.place, tokens != 0
        emb, h = self.time(t), self.first(xt)
        for block, own, cross in zip(self.blocks, self.self_attention, self.cross_attention, strict=True):
            h = own(block(h, emb))
            if seen is not None:
                assert isinstance(cross, CrossAttention)
                seen.append(cross.weights(h, words, there))
            h = cross(h, words, there)
        out: Tensor = self.last(h)
        return out

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless this network reads images or latents of the shape (c, h, w)."""
        check_channels(shape, self.config.channels)

    def attention(self, xt: Image, t: Times, y: Labels) -> Float[Tensor, "blocks b heads n l"]:
        """Which words each pixel reads, block by block: the weights of every cross-attention."""
        seen: list[Tensor] = []
        self(xt, t, y, seen)
        return torch.stack(seen)
