"""Answers to the exercises of the chapter on the U-Net."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from tests.bank import Answers, Bank


class Look(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads, self.qkv = heads, nn.Conv2d(channels, 3 * channels, 1)

    def split(self, x):
        return self.qkv(x).reshape(len(x), 3, self.heads, -1, x.shape[2] * x.shape[3]).unbind(1)

    def forward(self, x):
        q, k, v = (part.transpose(2, 3) for part in self.split(x))
        return x + F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(x.shape)


def look_by_einsum(self, x):
    q, k, v = self.split(x)
    scores = torch.einsum("bhdi,bhdj->bhij", q, k) / q.shape[2] ** 0.5
    return x + torch.einsum("bhij,bhdj->bhdi", scores.softmax(-1), v).reshape(x.shape)


def look_by_heads(self, x):
    parts = self.qkv(x).flatten(2).chunk(3, dim=1)
    found = []
    for q, k, v in zip(*(part.chunk(self.heads, dim=1) for part in parts), strict=True):
        scores = (q.transpose(1, 2) @ k / math.sqrt(q.shape[1])).softmax(-1)
        found.append(v @ scores.transpose(1, 2))
    return torch.cat(found, dim=1).reshape(x.shape) + x


def look_slip(heads=None, under=None, skip=True, axis=-1):
    def forward(self, x):
        self.heads = heads or self.heads
        q, k, v = self.split(x)
        scores = q.transpose(2, 3) @ k / (under or q.shape[2]) ** 0.5
        return skip * x + (v @ scores.softmax(axis).transpose(2, 3)).reshape(x.shape)

    return type("Look", (Look,), {"forward": forward})


BANK: Bank = {
    "check_middle": Answers(
        right=[(256, 4, 4), [256, 4, 4], torch.Size([256, 4, 4])],
        wrong=[
            ((1536, 4, 4), "count from the base"),
            ((256, 8, 8), "each halves the sides"),
            ((256, 2, 2), "not four"),
            ((64, 4, 4), "multiplier is 4"),
            ((4, 4, 256), "channels come first"),
            ((192, 4, 4), "last of the four"),
            ((640, 4, 4), "Right: the second and the third"),
        ],
    ),
    "check_conv_cost": Answers(
        right=[
            lambda c, s, level: 9 * (c * s) ** 2,
            lambda c, s, level: 3 * 3 * (c << level) ** 2 * (s >> level) ** 2,
            lambda c, s, level: float(torch.tensor([3.0, c, s]).double().prod() ** 2),
        ],
        wrong=[
            (lambda c, s, level: 9 * c * 2**level * (s / 2**level) ** 2, "*every* channel in"),
            (lambda c, s, level: (c * s) ** 2, "9 weights"),
            (lambda c, s, level: 18 * (c * s) ** 2, "FLOP"),
            (lambda c, s, level: 9 * c**2 * (s / 2**level) ** 2, "channels grow"),
            (lambda c, s, level: 9 * (c * 2**level) ** 2, "number of weights"),
            (lambda c, s, level: 9 * c * s * s, "c appears twice"),
        ],
    ),
    "check_look": Answers(
        right=[
            Look,
            type("Look", (Look,), {"forward": look_by_einsum}),
            type("Look", (Look,), {"forward": look_by_heads}),
        ],
        wrong=[
            (look_slip(heads=1), "Where is `self.heads`"),
            (look_slip(under=6), "the d under the root"),
            (look_slip(skip=False), "added to x"),
            (look_slip(axis=-2), "sum to 1"),
            (look_slip(under=1), "divided"),
            (look_slip(heads=1, under=3), "split them first"),
        ],
    ),
}
